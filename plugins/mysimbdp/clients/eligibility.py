"""Policy: which files of a client-input-directory are sent. Nothing is read here but names, sizes and digests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mysimbdp.clients.sent import Sent
from mysimbdp.errors import Code, MysimbdpError, Problem
from mysimbdp.landing.completeness import Kind, Seen, Snapshot, complete_files, waiting_files
from mysimbdp.landing.constraints import Usage, check_before_copy
from mysimbdp.landing.names import safe_label
from mysimbdp.tenants.model import Tenant

_QUOTAS = {Code.QUOTA_FILES, Code.QUOTA_BYTES}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A file of the client-input-directory: eligible, or the problem that keeps it back."""

    seen: Seen
    sha256: str | None = None
    problem: Problem | None = None


def judge(
    tenant: Tenant,
    previous: Snapshot,
    current: Snapshot,
    *,
    usage: Usage,
    sent: Callable[[str], Sent | None],
    digest: Callable[[Seen], str],
) -> Iterator[Verdict]:
    """Yield a verdict on every file, the oldest first; quotas count the files found eligible before.

    `digest` gives the sha256 of a file and is asked only where it matters; `sent` tells how these bytes went
    before (give `lambda _: None` to send them again).
    """
    chosen: dict[str, str] = {}
    for seen, why in waiting_files(previous, current):
        yield Verdict(seen, problem=Problem(Code.FILE_STILL_GROWING, str(why), safe_label(seen.name)))
    for seen in complete_files(previous, current):
        label = safe_label(seen.name)
        if seen.kind is not Kind.FILE:
            yield Verdict(seen, problem=Problem(Code.FILE_NOT_REGULAR, f"it is a {seen.kind}", label))
            continue
        problem = check_before_copy(tenant, seen.name, seen.size, usage)
        if problem and problem.code not in _QUOTAS:
            yield Verdict(seen, problem=problem)
            continue
        try:
            sha256 = digest(seen)
        except MysimbdpError as error:
            yield Verdict(seen, problem=error.problem)
            continue
        # Bytes sent before take no room a second time, so this comes before the quotas.
        problem = _sent_before(label, chosen.get(sha256), sent(sha256)) or problem
        if problem is None:
            usage = usage.plus(seen.size)
            chosen[sha256] = label
        yield Verdict(seen, sha256, problem)


def _sent_before(label: str, now: str | None, earlier: Sent | None) -> Problem | None:
    if now is not None:
        return Problem(Code.FILE_ALREADY_SENT, f"it has the same bytes as {now}", label)
    if earlier is None:
        return None
    as_what = "" if earlier.file == label else f" as {earlier.file}"
    return Problem(Code.FILE_ALREADY_SENT, f"its bytes were sent{as_what} on {earlier.sent_at}", label)
