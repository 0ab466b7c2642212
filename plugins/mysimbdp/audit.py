"""Proves that nothing is lost and nothing doubled, and names what breaks the proof."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from mysimbdp.landing.layout import Landing
from mysimbdp.landing.names import safe_label
from mysimbdp.landing.removal import held_entries
from mysimbdp.ledger.balance import Balance, balance_of
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.record import FileRecord, Ref
from mysimbdp.ledger.states import State
from mysimbdp.settings import Settings

LONGEST_HELD_SECONDS = 600
"""An entry leaves the inbox within milliseconds; the tenant's next run mends what a killed one left held."""


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One thing that is not as it must be."""

    tenant: str
    check: str
    subject: str
    what: str


@dataclass(frozen=True, slots=True)
class Audit:
    """The sums of one tenant and everything found wrong."""

    balance: Balance
    discrepancies: list[Discrepancy]


async def audit_tenant(ledger: Ledger, settings: Settings, tenant: str) -> Audit:
    """Check one tenant's ledger against itself and against the landing folders.

    Records that change while the audit reads them can look wrong for a moment: whatever is found is read
    again before it is reported.
    """
    found = await _look(ledger, settings, tenant)
    if found.discrepancies:
        again = await _look(ledger, settings, tenant)
        suspects = {(item.check, item.subject) for item in found.discrepancies}
        confirmed = [item for item in again.discrepancies if (item.check, item.subject) in suspects]
        return Audit(again.balance, confirmed)
    return found


async def _look(ledger: Ledger, settings: Settings, tenant: str) -> Audit:
    pending = {item.ref for item in await ledger.arrivals.pending(tenant)}
    known = await ledger.records(tenant)
    # What retention is just removing, or was when it was killed: the next time it goes on.
    leaving = {record.ingest_id for record in known if record.is_leaving}
    records = [record for record in known if not record.is_leaving]
    reserved = await ledger.quotas.reservations(tenant)
    stored = await ledger.quotas.stored(tenant)
    # A forgotten file keeps its room, since its rows are stored.
    unnamed = {ref.ingest_id for ref in pending} | leaving | set(await ledger.quotas.forgotten(tenant))
    landing = Landing(settings, tenant)
    found = [
        *_lost(tenant, records, pending),
        *_claims(tenant, records),
        *_rows(tenant, records),
        *_quota(tenant, records, unnamed, reserved, (stored.files, stored.bytes)),
        *_landing(tenant, records, pending, landing, settings.archive_dir),
    ]
    return Audit(balance_of(tenant, records), found)


def _lost(tenant: str, records: Iterable[FileRecord], pending: set[Ref]) -> Iterable[Discrepancy]:
    for record in records:
        if not record.state.is_final and record.ref not in pending:
            what = f"is {record.state}, but nobody looks after it"
            yield Discrepancy(tenant, "lost", str(record.ingest_id), what)


def _claims(tenant: str, records: Iterable[FileRecord]) -> Iterable[Discrepancy]:
    for record in records:
        owns = record.state in {State.CLAIMED, State.INGESTING, State.COMMITTED}
        if owns and not record.holds_claim:
            what = f"is {record.state}, but its bytes are claimed by {record.live_ingest}"
            yield Discrepancy(tenant, "claim", str(record.ingest_id), what)
        if not owns and record.holds_claim:
            what = f"is {record.state}, but still holds the claim on its bytes"
            yield Discrepancy(tenant, "claim", str(record.ingest_id), what)


def _rows(tenant: str, records: Iterable[FileRecord]) -> Iterable[Discrepancy]:
    for record in records:
        if record.state.is_final and record.rows_read != record.rows_written + record.rows_rejected:
            what = f"{record.rows_read} rows read ≠ {record.rows_written} written + {record.rows_rejected} rejected"
            yield Discrepancy(tenant, "rows", str(record.ingest_id), what)


def _quota(
    tenant: str,
    records: list[FileRecord],
    unnamed: set[UUID],
    reserved: Mapping[UUID, int],
    sums: tuple[int, int],
) -> Iterable[Discrepancy]:
    if sums != (len(reserved), sum(reserved.values())):
        what = f"the sums {sums} are not those of the {len(reserved)} files ({sum(reserved.values())} bytes)"
        yield Discrepancy(tenant, "quota", tenant, what)
    for record in records:
        if record.state is State.COMMITTED and record.ingest_id not in reserved:
            yield Discrepancy(tenant, "quota", str(record.ingest_id), "is stored, but not counted")
    stored = {record.ingest_id for record in records if not record.state.is_final or record.state is State.COMMITTED}
    # A rejected file's room is given back when its receipt is written.
    for ingest in set(reserved) - stored - unnamed:
        yield Discrepancy(tenant, "quota", str(ingest), "is counted, but not stored")


def _landing(
    tenant: str, records: Iterable[FileRecord], pending: set[Ref], landing: Landing, archive: Path
) -> Iterable[Discrepancy]:
    for key, held in held_entries(landing.inbox) if landing.inbox.exists() else ():
        with suppress(FileNotFoundError):  # it was on its way
            if time.time() - held.lstat().st_ctime > LONGEST_HELD_SECONDS:
                what = f"{held.name} was held on its way out of the inbox and forgotten"
                yield Discrepancy(tenant, "inbox", key, what)
    for record in records:
        if not record.state.is_final or record.ref in pending:
            continue
        label = safe_label(record.name)
        receipt = landing.receipt_file(record.ingest_id, record.name)
        if "receipts" not in record.pruned and not receipt.exists():
            yield Discrepancy(tenant, "receipt", str(record.ingest_id), f"{label} has no receipt")
        kept = record.archived if "archive" not in record.pruned else None
        if kept and not (archive / kept).exists():
            yield Discrepancy(tenant, "archive", str(record.ingest_id), f"{label} is not at {kept}")
