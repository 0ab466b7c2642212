"""Is every row of every file in its table, and no other? Counted, and what is missing explained key by key.

written - repeated - superseded = held. A row is superseded when a later file wrote its key, be it that this one was
purged since; a row that is simply gone is lost.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from mysimbdp.audit.facts import Discrepancy, Facts
from mysimbdp.audit.superseding import unexplained
from mysimbdp.coredms.census import Owner, census
from mysimbdp.coredms.keyfile import open_keys
from mysimbdp.coredms.owners import Owners
from mysimbdp.landing.names import safe_label
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.record import FileRecord
from mysimbdp.tenants.names import keyspace_of


@dataclass(frozen=True, slots=True)
class Holding:
    """What a table has of one file; rows_lost is None where the file's keys are not known."""

    tenant: str
    ingest_id: str
    file: str
    table: str
    rows_written: int
    rows_repeated: int
    rows_superseded: int
    rows_held: int
    rows_lost: int | None


@dataclass(frozen=True, slots=True)
class Counted:
    """All files of a tenant, and everything found wrong with its tables."""

    holdings: list[Holding]
    discrepancies: list[Discrepancy]


async def counted(ledger: Ledger, facts: Facts) -> Counted:
    """Read every table of the tenant through once; keys are looked up only for files that seem short of rows."""
    result = Counted([], [])
    for table in sorted({record.table_name for record in facts.records if record.table_name}):
        records = [record for record in facts.records if record.table_name == table]
        owners = await census(ledger.session, keyspace_of(facts.tenant), table)
        for record in records:
            if record.is_stored and record.ref not in facts.pending and record.purge_begun_at is None:
                holding = await _holding(ledger, facts, record, owners)
                result.holdings.append(holding)
                result.discrepancies.extend(_wrong(facts, record, holding))
        result.discrepancies.extend(_strangers(facts, table, owners or Counter()))
    return result


async def _holding(ledger: Ledger, facts: Facts, record: FileRecord, owners: Counter[Owner] | None) -> Holding:
    repeated = record.rows_repeated or 0
    expected = record.rows_written - repeated
    held = superseded = 0
    lost: int | None = 0
    if owners is not None:
        held = owners[record.ingest_id] + owners[record.write_timestamp]
    if held < expected:
        looked_up = await _looked_up(ledger, facts, record, there=owners is not None)
        held, superseded, lost = looked_up or (held, 0, None)
    return Holding(
        facts.tenant,
        str(record.ingest_id),
        safe_label(record.name),
        record.table_name or "",
        record.rows_written,
        repeated,
        superseded,
        held,
        lost,
    )


async def _looked_up(ledger: Ledger, facts: Facts, record: FileRecord, *, there: bool) -> tuple[int, int, int] | None:
    """Rows held, superseded and lost, by the file's keys; None when these are not known."""
    keys = await asyncio.to_thread(open_keys, facts.landing.archived_keys(record.ingest_id))
    if keys is None:
        return None
    if not there:
        return 0, 0, keys.rows
    held = superseded = lost = 0
    owners = Owners(ledger.session, keyspace_of(facts.tenant), record.table_name or "", keys.table)
    for group in keys.keys():  # noqa: SIM118  # not a dict
        owned = await owners.of(group, record.write_timestamp or 0)
        missing = 0
        if owned.gone:
            missing = unexplained(facts, record, group.take(owned.gone), owners.key).num_rows
        held += owned.held
        lost += missing
        superseded += owned.superseded + len(owned.gone) - missing
    return held, superseded, lost


def _wrong(facts: Facts, record: FileRecord, holding: Holding) -> Iterable[Discrepancy]:
    label = holding.file
    expected = holding.rows_written - holding.rows_repeated
    if holding.rows_lost is None:
        what = f"{holding.table} holds {holding.rows_held} of the {expected} rows of {label}, whose keys are not known"
        yield facts.found("table", record, what)
    elif holding.rows_lost:
        what = f"{holding.rows_lost} of the {expected} rows of {label} are gone from {holding.table}"
        yield facts.found("table", record, f"{what}; a replay brings them back")
    elif holding.rows_held + holding.rows_superseded != expected:
        what = f"{holding.table} holds {holding.rows_held} rows of {label}, which has written {expected}"
        yield facts.found("table", record, what)


def _strangers(facts: Facts, table: str, owners: Counter[Owner]) -> Iterable[Discrepancy]:
    """Rows of ingests that have none: rejected, purged or unknown ones."""
    may: set[Owner] = {None, *facts.unnamed.keys(), *facts.unnamed.values()}
    others: dict[Owner, FileRecord] = {}
    for record in facts.records:
        if record.is_stored or record.ref in facts.pending:
            may |= {record.ingest_id, record.write_timestamp}
        else:
            others |= {record.ingest_id: record, record.write_timestamp: record}
    for owner, count in owners.items():
        if owner in may:
            continue
        of_whom = others.get(owner)
        if of_whom is not None:
            state = "purged" if of_whom.purged_at else of_whom.state
            what = f"{table} holds {count} rows of {safe_label(of_whom.name)}, which is {state}"
            yield facts.found("table", of_whom, what)
        else:
            by = "ingest" if isinstance(owner, UUID) else "write timestamp"
            what = f"{table} holds {count} rows of the {by} {owner}, which the ledger does not know"
            yield Discrepancy(facts.tenant, "table", str(owner), what)
