"""Everything ever received, in order of arrival, and what of it still waits for its receipt."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from mysimbdp.ledger.identity import arrival_time, month_of
from mysimbdp.ledger.record import Ref, name_from_text, name_to_text
from mysimbdp.ledger.schema import LEDGER_KEYSPACE
from mysimbdp.ledger.statements import Row, Statements

# One logged batch: a file is either received in all three places or in none.
_RECEIVE = f"""BEGIN BATCH
INSERT INTO {LEDGER_KEYSPACE}.months (tenant, month) VALUES (?, ?);
INSERT INTO {LEDGER_KEYSPACE}.arrivals (tenant, month, ingest_id, sha256) VALUES (?, ?, ?, ?);
INSERT INTO {LEDGER_KEYSPACE}.pending (tenant, ingest_id, sha256, name, run_id, replay_of) VALUES (?, ?, ?, ?, ?, ?);
APPLY BATCH"""
_PENDING = f"SELECT ingest_id, sha256, name, run_id, replay_of FROM {LEDGER_KEYSPACE}.pending WHERE tenant = ?"
_IS_PENDING = f"SELECT ingest_id FROM {LEDGER_KEYSPACE}.pending WHERE tenant = ? AND ingest_id = ?"
_ADOPT = f"UPDATE {LEDGER_KEYSPACE}.pending SET run_id = ? WHERE tenant = ? AND ingest_id = ? IF EXISTS"
_SETTLE = f"DELETE FROM {LEDGER_KEYSPACE}.pending WHERE tenant = ? AND ingest_id = ? IF EXISTS"
_MONTHS = f"SELECT month FROM {LEDGER_KEYSPACE}.months WHERE tenant = ?"
_ARRIVAL = f"SELECT sha256 FROM {LEDGER_KEYSPACE}.arrivals WHERE tenant = ? AND month = ? AND ingest_id = ?"
_ARRIVALS = f"SELECT ingest_id, sha256 FROM {LEDGER_KEYSPACE}.arrivals WHERE tenant = ? AND month = ?"
_OLDEST = f"""SELECT ingest_id, sha256 FROM {LEDGER_KEYSPACE}.arrivals WHERE tenant = ? AND month = ?
    AND ingest_id > ? ORDER BY ingest_id ASC LIMIT {{limit}}"""
_TENANTS = f"SELECT DISTINCT tenant, month FROM {LEDGER_KEYSPACE}.arrivals"

_PAGE = 1000
_FIRST = UUID("00000000-0000-1000-8080-808080808080")
"""Before every timeuuid in Cassandra's order."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A file without a receipt, and the run that is to write it."""

    ref: Ref
    name: str
    run_id: str | None
    replay_of: UUID | None = None

    @classmethod
    def from_row(cls, tenant: str, row: Row) -> Self:
        """Build from a row of `pending`."""
        ref = Ref(tenant, row["sha256"], row["ingest_id"])
        return cls(ref, name_from_text(row["name"] or ""), row["run_id"], row["replay_of"])


class Arrivals:
    """The order of arrival, and the list of what is not settled."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def receive(self, ref: Ref, name: str, run_id: str | None, *, replay_of: UUID | None = None) -> None:
        """Write the arrival down; from here on nothing about this file can be forgotten."""
        month = month_of(ref.ingest_id)
        await self._statements.run(
            _RECEIVE,
            ref.tenant, month,
            ref.tenant, month, ref.ingest_id, ref.sha256,
            ref.tenant, ref.ingest_id, ref.sha256, name_to_text(name), run_id, replay_of,
        )  # fmt: skip

    async def find(self, tenant: str, ingest: UUID) -> Ref | None:
        """The arrival of this ingest, or None when it was never received."""
        rows = await self._statements.run(_ARRIVAL, tenant, month_of(ingest), ingest)
        return Ref(tenant, rows[0]["sha256"], ingest) if rows else None

    async def pending(self, tenant: str) -> list[Pending]:
        """Files of `tenant` whose receipt is not written yet, oldest first."""
        rows = await self._statements.run(_PENDING, tenant)
        return [Pending.from_row(tenant, row) for row in rows if row["sha256"] is not None]

    async def is_pending(self, ref: Ref) -> bool:
        """True until the receipt is written."""
        return await self.is_pending_ingest(ref.tenant, ref.ingest_id)

    async def is_pending_ingest(self, tenant: str, ingest: UUID) -> bool:
        """The same, for whoever knows the ingest id alone."""
        return bool(await self._statements.run(_IS_PENDING, tenant, ingest))

    async def adopt(self, ref: Ref, run_id: str) -> None:
        """Name the run that now looks after a pending file."""
        await self._statements.applies(_ADOPT, run_id, ref.tenant, ref.ingest_id)

    async def settle(self, ref: Ref) -> None:
        """The receipt is written: the file is pending no more."""
        await self._statements.applies(_SETTLE, ref.tenant, ref.ingest_id)

    async def months(self, tenant: str) -> list[str]:
        """Months in which `tenant` sent something, newest first, e.g. `2026-11`."""
        return sorted((row["month"] for row in await self._statements.run(_MONTHS, tenant)), reverse=True)

    async def of(self, tenant: str) -> AsyncIterator[Ref]:
        """Every arrival of `tenant`, newest first."""
        for month in await self.months(tenant):
            async for ref in self.in_month(tenant, month):
                yield ref

    async def in_month(self, tenant: str, month: str) -> AsyncIterator[Ref]:
        """Arrivals of `tenant` in one month, newest first."""
        for row in await self._statements.run(_ARRIVALS, tenant, month):
            yield Ref(tenant, row["sha256"], row["ingest_id"])

    async def oldest_first(self, tenant: str, *, until: datetime) -> AsyncIterator[Ref]:
        """Arrivals of `tenant` before `until`, oldest first, read page by page."""
        for month in reversed(await self.months(tenant)):
            last = _FIRST
            while rows := await self._statements.run(_OLDEST.format(limit=_PAGE), tenant, month, last):
                for row in rows:
                    if arrival_time(row["ingest_id"]) >= until:
                        return
                    yield Ref(tenant, row["sha256"], row["ingest_id"])
                last = rows[-1]["ingest_id"]

    async def tenants(self) -> list[str]:
        """Every tenant the ledger knows, also those whose tenant file is gone."""
        return sorted({row["tenant"] for row in await self._statements.run(_TENANTS)})
