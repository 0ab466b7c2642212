"""What the checks look at, read once for all of them, and what they find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from mysimbdp.landing.layout import Landing
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.quotas import Stored
from mysimbdp.ledger.record import FileRecord, Ref
from mysimbdp.ledger.states import State
from mysimbdp.settings import Settings


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One thing that is not as it must be."""

    tenant: str
    check: str
    subject: str
    what: str


@dataclass(frozen=True, slots=True)
class Facts:
    """One tenant: its records, newest first, what is pending, what is reserved by ingest, and its folders."""

    tenant: str
    records: list[FileRecord]
    pending: set[Ref]
    reserved: Mapping[UUID, int]
    stored: Stored
    landing: Landing
    archive: Path
    unnamed: Mapping[UUID, int]
    """Write timestamps of ingests whose record retention is removing, or has; their rows and room are still there."""

    @property
    def settled(self) -> list[FileRecord]:
        """Records with a verdict and a receipt."""
        return [record for record in self.records if record.state.is_final and record.ref not in self.pending]

    @property
    def replayed(self) -> set[UUID]:
        """Ingests whose claim and room are a replay's by now."""
        return {
            record.displaced
            for record in self.records
            if record.displaced and (record.state is State.COMMITTED or not record.state.is_final)
        }

    def found(self, check: str, record: FileRecord, what: str) -> Discrepancy:
        """Something wrong with one file."""
        return Discrepancy(self.tenant, check, str(record.ingest_id), what)


async def gather(ledger: Ledger, settings: Settings, tenant: str) -> Facts:
    """Read it all. What is pending comes first: a record read later may have its verdict meanwhile, not lose it."""
    pending = {item.ref for item in await ledger.arrivals.pending(tenant)}
    records = await ledger.records(tenant)
    leaving = {record.ingest_id: record.write_timestamp or 0 for record in records if record.is_leaving}
    forgotten = await ledger.quotas.forgotten(tenant)
    return Facts(
        tenant,
        [record for record in records if not record.is_leaving],
        pending,
        await ledger.quotas.reservations(tenant),
        await ledger.quotas.stored(tenant),
        Landing(settings, tenant),
        settings.archive_dir,
        {**leaving, **forgotten},
    )
