"""Takes the rows of a committed file out of coredms again and gives its room and its bytes back.

begun (ledger) → rows deleted by key, USING TIMESTAMP of their ingest → durable → quota freed → purged (ledger, the
claim given back) → receipt. Each step may be repeated: after a kill, the same purge once more ends what was begun. The
archived bytes stay, so that a purged file can be replayed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket

from mysimbdp.batchingestmanager.lease import kept_lease
from mysimbdp.batchingestmanager.purge_plan import Plan, in_use, keys_of, must_be_at_rest, no_table_no_rows
from mysimbdp.coredms.durability import life_of, until_durable
from mysimbdp.coredms.loader import Loader
from mysimbdp.errors import Code, Problem, TransientError
from mysimbdp.landing.layout import Landing
from mysimbdp.landing.names import safe_label
from mysimbdp.landing.purge_receipts import PurgeReceipt, write_purge_receipt
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.record import FileRecord
from mysimbdp.settings import settings
from mysimbdp.tenants.names import keyspace_of


async def purge(ledger: Ledger, plan: Plan, log: logging.Logger) -> FileRecord:
    """Carry the plan out; of a file that is purged already only what may not have been done.

    Raises:
        TerminalError: KEYS_LOST, COREDMS_REFUSED.
        TransientError: FILE_IN_USE, CLAIM_LOST (another run took the bytes over); what the loader raises.
    """
    record = plan.record
    if record.purged_at is None:
        await must_be_at_rest(ledger, record)
        if record.holds_claim:
            holder = f"purge:{socket.gethostname()}:{os.getpid()}"
            seconds = settings().lease_seconds
            async with kept_lease(ledger.files, record.ref, holder, seconds=seconds) as held:
                if not held:
                    raise in_use(record)
                await _take_away(ledger, plan, holder)
        else:
            await _take_away(ledger, plan, None)
        record = await _must_find(ledger, record)
    await asyncio.to_thread(_write_receipt, record)
    log.info("%s: purged, %s rows", safe_label(record.name), record.rows_purged)
    return record


async def _take_away(ledger: Ledger, plan: Plan, holder: str | None) -> None:
    record = plan.record
    life = await life_of(ledger.session)
    await ledger.purges.begin(record, plan.rows)
    keys = keys_of(record)
    loader = Loader(
        ledger.session,
        keyspace_of(record.tenant),
        record.table_name or "",
        keys.table,
        write_timestamp_us=record.write_timestamp or 0,
        ingest_id=record.ingest_id,
        file_digest=record.sha256,
    )
    with no_table_no_rows():
        await loader.unload(keys.keys())
    await until_durable(ledger.session, life)
    if holder is not None:  # else its room is that of the replay that has the claim
        await ledger.quotas.free(record.tenant, record.ingest_id)
    await ledger.purges.end(record, holder)
    await until_durable(ledger.session, life)


async def _must_find(ledger: Ledger, record: FileRecord) -> FileRecord:
    found = await ledger.files.find(record.ref)
    if found is None or found.purged_at is None:
        raise TransientError(Problem(Code.COREDMS_UNREACHABLE, "the end of the purge is not read back"))
    return found


def _write_receipt(record: FileRecord) -> None:
    if record.purged_at is None:
        raise AssertionError("a purged file has the time of its purge")
    receipt = PurgeReceipt(
        tenant=record.tenant,
        ingest_id=record.ingest_id,
        file=safe_label(record.name),
        sha256=record.sha256,
        bytes=record.size,
        table=f"{keyspace_of(record.tenant)}.{record.table_name}",
        rows_purged=record.rows_purged or 0,
        purged_at=record.purged_at,
    )
    write_purge_receipt(Landing(settings(), record.tenant), receipt, name=record.name)
