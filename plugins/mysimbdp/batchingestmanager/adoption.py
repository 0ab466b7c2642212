"""What earlier runs left behind: pending files whose run ended without a verdict or a receipt."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from mysimbdp.batchingestmanager.intake import Intaker
from mysimbdp.errors import Code, Problem
from mysimbdp.landing.names import safe_label
from mysimbdp.ledger.arrivals import Pending
from mysimbdp.ledger.files import now
from mysimbdp.ledger.identity import arrival_time
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.record import FileRecord, is_unread
from mysimbdp.ledger.states import State
from mysimbdp.settings import settings


async def adopt(
    ledger: Ledger, tenant: str, run_id: str, intaker: Intaker, log: logging.Logger, *, wanted: Collection[str] | None
) -> list[FileRecord]:
    """Take over pending files: those of this very run, and the ingest ids `wanted` (None: all that no one leases).

    A file that was received but never claimed is ended here if the customer has taken it back meanwhile.
    """
    found: list[FileRecord] = []
    for pending in await ledger.arrivals.pending(tenant):
        if pending.run_id != run_id and wanted is not None and str(pending.ref.ingest_id) not in wanted:
            continue
        record = await ledger.files.find(pending.ref)
        if record is None:
            record = await _never_claimed(ledger, pending)
        elif record.state is State.CLAIMED:
            record = await intaker.reserve(record)
        if record is None or (record.holds_claim and record.holder and not record.state.is_final):
            continue
        await ledger.arrivals.adopt(record.ref, run_id)
        log.info("adopted %s (%s) from %s", safe_label(record.name), record.state, pending.run_id)
        found.append(record)
    return found


async def _never_claimed(ledger: Ledger, pending: Pending) -> FileRecord | None:
    arrived = arrival_time(pending.ref.ingest_id)
    if now() - arrived < timedelta(seconds=2 * settings().lease_seconds):
        return None  # its own run is between two steps
    what = "it was taken back before it was claimed"
    record = FileRecord(
        pending.ref.tenant, pending.ref.sha256, pending.ref.ingest_id, name=pending.name, state=State.REJECTED,
        run_id=pending.run_id, received_at=arrived, problem=Problem(Code.FILE_VANISHED, what, safe_label(pending.name)),
    )  # fmt: skip
    if is_unread(pending.ref.sha256):
        return await ledger.files.end_unclaimed(record)
    # Its bytes were copied: if the inbox still has them, the next ring goes on from there; the arrival stays
    # pending until then, and a day later it is taken for withdrawn.
    if now() - arrived < timedelta(days=1):
        return None
    return await ledger.files.end_unclaimed(replace(record))
