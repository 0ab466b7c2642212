"""fetchdata, the customer-side program: sends the eligible files of a client-input-directory, shows receipts."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from mysimbdp.clients.eligibility import Verdict, judge
from mysimbdp.clients.landing_folder import LandingFolder
from mysimbdp.clients.sent import SentLog
from mysimbdp.errors import Code, MysimbdpError, Problem, TerminalError
from mysimbdp.landing.completeness import Seen, scan
from mysimbdp.landing.constraints import Usage
from mysimbdp.landing.names import safe_label
from mysimbdp.landing.receipts import Receipt
from mysimbdp.tenants.model import Tenant

POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Fetched:
    """What fetchdata did with one file. Not `eligible` has a problem; eligible and not `sent` has one too."""

    seen: Seen
    eligible: bool
    sent: bool
    sha256: str | None = None
    problem: Problem | None = None
    receipt: Receipt | None = None

    @property
    def label(self) -> str:
        """The file's name, safe to print."""
        return safe_label(self.seen.name)

    @property
    def went_wrong(self) -> bool:
        """It should have arrived and did not, or its receipt is a bad one."""
        refused = self.receipt is not None and self.receipt.outcome in {"rejected", "failed"}
        return (self.eligible and not self.sent) or refused


class Fetchdata:
    """One client-input-directory of one tenant, and the landing it is sent to."""

    def __init__(self, tenant: Tenant, folder: Path, landing: LandingFolder, sent: SentLog) -> None:
        self._tenant = tenant
        self._folder = folder
        self._landing = landing
        self._sent = sent
        self._old_receipts: set[str] = set()

    def alone(self) -> AbstractContextManager[None]:
        """While another fetchdata sends to the same landing, wait: two at once would send a file twice."""
        return self._sent.only_one()

    def choose(self, *, again: bool = False, settle_seconds: float = 0.5) -> list[Verdict]:
        """Look twice at the folder, `settle_seconds` apart, and judge every file in it.

        Raises:
            TerminalError: INPUT_DIRECTORY_UNREADABLE.
        """
        previous = scan(self._folder)
        time.sleep(settle_seconds)
        current = scan(self._folder)
        for look in (previous, current):
            if look.problem is not None:
                what = look.problem.what.replace("the inbox", "the client-input-directory")
                raise TerminalError(replace(look.problem, code=Code.INPUT_DIRECTORY_UNREADABLE, what=what))
        return list(
            judge(
                self._tenant,
                previous,
                current,
                usage=self._usage(),
                sent=(lambda _sha256: None) if again else self._sent.find,
                digest=self._digest,
            )
        )

    def send(self, verdicts: Iterable[Verdict], on_bytes: Callable[[Seen, int], None]) -> list[Fetched]:
        """Send what is eligible, one file after the other; a file that cannot be sent stops no other."""
        self._old_receipts = set(self._landing.receipts())
        return [self._send_one(verdict, on_bytes) for verdict in verdicts]

    def follow(self, fetched: list[Fetched], *, timeout_seconds: float) -> list[Fetched]:
        """Wait until every file sent has its receipt, at most `timeout_seconds`, and add the receipts."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            fetched = self._with_receipts(fetched)
            missing = any(file.sent and file.receipt is None for file in fetched)
            if not missing or time.monotonic() > deadline:
                return fetched
            time.sleep(POLL_SECONDS)

    def _send_one(self, verdict: Verdict, on_bytes: Callable[[Seen, int], None]) -> Fetched:
        seen = verdict.seen
        if verdict.problem is not None:
            return Fetched(seen, eligible=False, sent=False, sha256=verdict.sha256, problem=verdict.problem)
        try:
            taken = self._landing.upload(
                self._folder / seen.name,
                seen,
                done_marker=self._tenant.source.done_marker,
                on_bytes=lambda count: on_bytes(seen, count),
            )
        except MysimbdpError as error:
            return Fetched(seen, eligible=True, sent=False, sha256=verdict.sha256, problem=error.problem)
        self._sent.add(seen, taken.sha256)
        return Fetched(seen, eligible=True, sent=True, sha256=taken.sha256)

    def _with_receipts(self, fetched: list[Fetched]) -> list[Fetched]:
        # By name and bytes; a file rejected before it was read has a receipt without a digest.
        new = [r for name, r in self._landing.receipts().items() if name not in self._old_receipts]
        by_content = {(receipt.file, receipt.sha256): receipt for receipt in new}
        return [
            replace(file, receipt=by_content.get((file.label, file.sha256)) or by_content.get((file.label, None)))
            if file.sent
            else file
            for file in fetched
        ]

    def _usage(self) -> Usage:
        """What is stored, as far as the customer can know it: committed receipts, and what has none yet.

        The platform has the last word; this only saves sending what it would refuse.
        """
        receipts = list(self._landing.receipts().values())
        answered = {(receipt.file, receipt.sha256) for receipt in receipts}
        answered |= {(receipt.file, None) for receipt in receipts if receipt.sha256 is None}
        usage = Usage()
        for receipt in receipts:
            if receipt.outcome == "committed":
                usage = usage.plus(receipt.bytes)
        for sent in self._sent:
            if not {(sent.file, sent.sha256), (sent.file, None)} & answered:
                usage = usage.plus(sent.size)
        return usage

    def _digest(self, seen: Seen) -> str:
        known = self._sent.known_digest(seen)
        if known is not None:
            return known
        try:
            handle = os.open(self._folder / seen.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(handle, "rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except FileNotFoundError as error:
            what = "it was there a moment ago and is gone now"
            raise TerminalError(Problem(Code.FILE_VANISHED, what, safe_label(seen.name))) from error
        except OSError as error:
            what = f"it cannot be read: {error.strerror}"
            raise TerminalError(Problem(Code.FILE_UNREADABLE, what, safe_label(seen.name))) from error
