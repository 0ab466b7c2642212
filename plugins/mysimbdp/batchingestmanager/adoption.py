"""What earlier runs left behind: pending files whose run ended without a verdict or a receipt."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from mysimbdp.batchingestmanager.intake import Intaker
from mysimbdp.batchingestmanager.mending import in_hand_seconds, mend
from mysimbdp.errors import Code, Problem, TransientError
from mysimbdp.landing.completeness import scan
from mysimbdp.landing.layout import Landing
from mysimbdp.landing.names import safe_label
from mysimbdp.landing.removal import held_entries
from mysimbdp.ledger.arrivals import Pending
from mysimbdp.ledger.files import now
from mysimbdp.ledger.identity import arrival_time, ingest_id
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.record import FileRecord, is_unread
from mysimbdp.ledger.states import State
from mysimbdp.settings import settings


async def adopt(
    ledger: Ledger, tenant: str, run_id: str, intaker: Intaker, log: logging.Logger, *, wanted: Collection[str] | None
) -> list[FileRecord]:
    """Take over pending files: those of this very run, and the ingest ids `wanted` (None: all that no one leases).

    Files whose intake stopped before they were claimed are claimed now, from their private copies. What still lies
    in the inbox and was not copied is left to the ring for it, which goes through the same steps again.
    """
    landing = Landing(settings(), tenant)
    pending = await ledger.arrivals.pending(tenant)
    await mend(ledger, landing, {item.ref.ingest_id for item in pending}, log)
    in_inbox = await asyncio.to_thread(_ingests_in, landing) if pending else frozenset[UUID]()
    found: list[FileRecord] = []
    for item in pending:
        if item.run_id != run_id and wanted is not None and str(item.ref.ingest_id) not in wanted:
            continue
        if is_unread(item.ref.sha256) and item.ref.ingest_id in in_inbox:
            continue
        record = await ledger.files.find(item.ref)
        if record is None:
            try:
                record = await _never_claimed(ledger, intaker, item)
            except TransientError as fault:
                if fault.problem.code is not Code.FILE_IN_USE:
                    raise
                log.info("%s waits: %s", safe_label(item.name), fault)
        elif record.state is State.CLAIMED:
            record = await intaker.reserve(record)
        if record is None or (record.holds_claim and record.holder and not record.state.is_final):
            continue
        await ledger.arrivals.adopt(record.ref, run_id)
        log.info("adopted %s (%s) from %s", safe_label(record.name), record.state, item.run_id)
        found.append(record)
    return found


def _ingests_in(landing: Landing) -> frozenset[UUID]:
    """The ingest ids of whatever lies in the inbox, or is held there on its way out."""
    lying = {
        ingest_id(landing.tenant_id, seen.name, inode=seen.inode, ctime_ns=seen.ctime_ns, size=seen.size)
        for seen in scan(landing.inbox).files.values()
    }
    held = {UUID(key) for key, _ in held_entries(landing.inbox) if len(key) == len(str(UUID(int=0)))}
    return frozenset(lying | held)


async def _never_claimed(ledger: Ledger, intaker: Intaker, pending: Pending) -> FileRecord | None:
    """A file whose run was killed between two steps of the intake."""
    if not is_unread(pending.ref.sha256):
        record = await intaker.resume(pending)
        if record is not None:
            return record
    arrived = arrival_time(pending.ref.ingest_id)
    if now() - arrived < timedelta(seconds=in_hand_seconds()):
        return None  # its own run is between two steps
    if is_unread(pending.ref.sha256):
        problem = Problem(Code.FILE_VANISHED, "it was taken back before it was read", safe_label(pending.name))
    else:
        problem = Problem(Code.STAGING_LOST, "the private copy is gone before it was claimed", safe_label(pending.name))
    return await ledger.files.end_unclaimed(
        FileRecord(
            pending.ref.tenant, pending.ref.sha256, pending.ref.ingest_id, name=pending.name, state=State.REJECTED,
            run_id=pending.run_id, received_at=arrived, problem=problem,
        )
    )  # fmt: skip
