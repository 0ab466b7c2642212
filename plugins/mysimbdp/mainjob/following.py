"""Waits until the ledger has settled every file that was sent, and says how far it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.record import FileRecord

POLL_SECONDS = 0.5

Progress = Callable[[int, int, str], None]
"""Hears (files settled, files in all, what is going on)."""


async def follow(
    ledger: Ledger, wanted: Mapping[str, Sequence[str]], *, seconds: float, tell: Progress
) -> list[FileRecord]:
    """Return the newest record of each wanted sha256 (by tenant), once all are settled or `seconds` have passed."""
    deadline = time.monotonic() + seconds
    total = sum(len(digests) for digests in wanted.values())
    while True:
        found = [record for tenant, digests in wanted.items() for record in await _newest(ledger, tenant, digests)]
        pending = {item.ref for tenant in wanted for item in await ledger.arrivals.pending(tenant)}
        settled = [record for record in found if record.state.is_final and record.ref not in pending]
        going_on = [f"{record.name}: {record.state}" for record in found if record not in settled]
        if len(found) < total:
            going_on.append(f"{total - len(found)} not sensed yet")
        tell(len(settled), total, ", ".join(going_on))
        if len(settled) >= total or time.monotonic() > deadline:
            return found
        await asyncio.sleep(POLL_SECONDS)


async def _newest(ledger: Ledger, tenant: str, digests: Sequence[str]) -> list[FileRecord]:
    newest: dict[str, FileRecord] = {}
    for record in await ledger.records(tenant):
        # Newest first: a duplicate of a file that was committed before says less than the commit.
        if record.sha256 in digests and (record.sha256 not in newest or record.holds_claim):
            newest[record.sha256] = record
    return list(newest.values())
