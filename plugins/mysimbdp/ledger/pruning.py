"""What retention may do to the ledger: note what of a file is gone, and in the end forget the file."""

from __future__ import annotations

import time
from typing import Literal

from mysimbdp.ledger.arrivals import Arrivals
from mysimbdp.ledger.identity import month_of
from mysimbdp.ledger.quotas import Quotas
from mysimbdp.ledger.record import FileRecord, Ref
from mysimbdp.ledger.schema import LEDGER_KEYSPACE
from mysimbdp.ledger.statements import Statements
from mysimbdp.ledger.states import FINAL

Kind = Literal["archive", "keys", "receipts", "rejected"]

_FILES = f"{LEDGER_KEYSPACE}.files"
_KEY = "tenant = ? AND sha256 = ?"
_CONTENT = f"SELECT * FROM {_FILES} WHERE {_KEY}"
_FINAL = [str(state) for state in sorted(FINAL)]
# A set that something is added to twice stays the same, so this may be repeated.
_NOTE = f"UPDATE {_FILES} SET pruned = pruned + {{{{'{{what}}'}}}} WHERE {_KEY} AND ingest_id = ? IF state IN ?"
_UNCLAIM = f"UPDATE {_FILES} SET live_ingest = NULL WHERE {_KEY} IF live_ingest = ?"
# One logged batch: no reader ever finds an arrival without its record.
_FORGET = f"""BEGIN BATCH
DELETE FROM {_FILES} USING TIMESTAMP ? WHERE {_KEY} AND ingest_id = ?;
DELETE FROM {LEDGER_KEYSPACE}.arrivals USING TIMESTAMP ? WHERE tenant = ? AND month = ? AND ingest_id = ?;
APPLY BATCH"""
CLOCK_SKEW_MICROSECONDS = 60_000_000
"""The record was written by lightweight transactions, with their coordinators' clocks; nobody writes it again."""


class Pruning:
    """Takes back, step by step and each step repeatable, what nobody needs any more. Touches final records only."""

    def __init__(self, statements: Statements, arrivals: Arrivals, quotas: Quotas) -> None:
        self._statements = statements
        self._arrivals = arrivals
        self._quotas = quotas

    async def content(self, ref: Ref) -> list[FileRecord]:
        """Every record of the same bytes: of each time they were received."""
        rows = await self._statements.run(_CONTENT, ref.tenant, ref.sha256)
        return [FileRecord.from_row(row) for row in rows if row["state"] is not None]

    async def is_settled(self, record: FileRecord) -> bool:
        """True for what is final, has its receipt, and nobody is at work on."""
        return record.state.is_final and not record.holder and not await self._arrivals.is_pending(record.ref)

    async def note(self, ref: Ref, what: Kind | Literal["ledger"]) -> None:
        """Write down that `what` of the file is gone; before it is removed, so that the audit never misses it."""
        cql = _NOTE.format(what=what)
        await self._statements.applies(cql, ref.tenant, ref.sha256, ref.ingest_id, _FINAL)

    async def forget(self, record: FileRecord) -> None:
        """Remove a final record and its arrival; the claim on its bytes ends, its room stays reserved.

        The first step marks the record, so that the audit, in the middle of it, knows what is going on.
        """
        await self.note(record.ref, "ledger")
        await self._quotas.forget(record.tenant, record.ingest_id, record.write_timestamp or 0)
        if record.holds_claim:
            await self._statements.applies(_UNCLAIM, record.tenant, record.sha256, record.ingest_id)
        after = time.time_ns() // 1000 + CLOCK_SKEW_MICROSECONDS
        await self._statements.run(
            _FORGET, after, record.tenant, record.sha256, record.ingest_id,
            after, record.tenant, month_of(record.ingest_id), record.ingest_id,
        )  # fmt: skip
