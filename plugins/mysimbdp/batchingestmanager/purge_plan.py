"""What a purge would take away, and whether it may: counted key by key before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from mysimbdp.coredms.keyfile import KeyFile, open_keys
from mysimbdp.coredms.owners import Owners
from mysimbdp.errors import Code, Problem, TerminalError, TransientError
from mysimbdp.landing.layout import Landing
from mysimbdp.landing.names import safe_label
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.record import FileRecord
from mysimbdp.ledger.states import State
from mysimbdp.settings import settings
from mysimbdp.tenants.names import keyspace_of


@dataclass(frozen=True, slots=True)
class Plan:
    """What a purge of `record` takes away: `rows` are in the table now, `superseded` are a later file's by now."""

    record: FileRecord
    rows: int
    superseded: int

    def as_dict(self) -> dict[str, object]:
        """For tables and JSON."""
        record = self.record
        return {
            "tenant": record.tenant,
            "ingest_id": str(record.ingest_id),
            "file": safe_label(record.name),
            "table": f"{keyspace_of(record.tenant)}.{record.table_name}",
            "bytes": record.size,
            "rows": record.rows_purged if record.purged_at else self.rows,
            "superseded": self.superseded,
            "purged_at": record.purged_at.isoformat(timespec="milliseconds") if record.purged_at else None,
        }


async def plan_purge(ledger: Ledger, record: FileRecord) -> Plan:
    """Count the rows of a committed file that are in its table now; changes nothing.

    Raises:
        TerminalError: FILE_NOT_STORED, KEYS_LOST.
        TransientError: FILE_IN_USE.
    """
    if record.purged_at is not None:
        return Plan(record, record.rows_purged or 0, 0)
    await must_be_at_rest(ledger, record)
    keys = keys_of(record)
    owners = Owners(ledger.session, keyspace_of(record.tenant), record.table_name or "", keys.table)
    rows = superseded = 0
    with no_table_no_rows():
        for group in keys.keys():  # noqa: SIM118  # not a dict
            owned = await owners.of(group, record.write_timestamp or 0)
            rows += owned.held
            superseded += owned.superseded
    return Plan(record, rows, superseded)


async def must_be_at_rest(ledger: Ledger, record: FileRecord) -> None:
    """Settled, and no replay of it is under way that could still fail and give the claim back."""
    if record.state is not State.COMMITTED:
        raise TerminalError(Problem(Code.FILE_NOT_STORED, f"it is {record.state}", safe_label(record.name)))
    if await ledger.arrivals.is_pending(record.ref):
        raise in_use(record)
    if not record.holds_claim and record.live_ingest is not None:
        live = await ledger.files.find(replace(record, ingest_id=record.live_ingest).ref)
        if live is None or not live.state.is_final:
            raise in_use(record)


def keys_of(record: FileRecord) -> KeyFile:
    """The keys of its rows; TerminalError KEYS_LOST without them."""
    path = Landing(settings(), record.tenant).archived_keys(record.ingest_id)
    keys = open_keys(path)
    if keys is None:
        what = f"its rows cannot be told from others: there is no {path}"
        raise TerminalError(Problem(Code.KEYS_LOST, what, safe_label(record.name)))
    return keys


@contextmanager
def no_table_no_rows() -> Iterator[None]:
    """Where there is no table there are no rows."""
    try:
        yield
    except TerminalError as fault:
        if fault.problem.code is not Code.SCHEMA_NOT_APPLIED:
            raise


def in_use(record: FileRecord) -> TransientError:
    """FILE_IN_USE, to be raised."""
    what = f"run {record.run_id} or another is still at work on these bytes"
    return TransientError(Problem(Code.FILE_IN_USE, what, safe_label(record.name)))
