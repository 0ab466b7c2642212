"""Files and the claims on their bytes: each transition is one write, fenced by the lease of who makes it.

All of a file's facts lie in the partition (tenant, sha256), so that one conditional batch changes the claim
and the record together. `live_ingest` names the ingest the bytes belong to (live or committed); `holder` is a
lease that Cassandra itself lets expire, so no clock but its own decides when a dead worker's work is free.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from mysimbdp.errors import Code, Problem, TransientError
from mysimbdp.landing.names import safe_label
from mysimbdp.ledger.record import FileRecord, Ref, name_to_text, problem_to_json
from mysimbdp.ledger.schema import LEDGER_KEYSPACE
from mysimbdp.ledger.statements import Statements
from mysimbdp.ledger.states import PENDING, State, may_become

_FILES = f"{LEDGER_KEYSPACE}.files"
_KEY = "tenant = ? AND sha256 = ?"

_FIND = f"SELECT * FROM {_FILES} WHERE {_KEY} AND ingest_id = ?"

_CLAIM = f"""BEGIN BATCH
UPDATE {_FILES} SET live_ingest = ? WHERE {_KEY} IF {{claimable}};
UPDATE {_FILES} SET state = ?, name = ?, size = ?, run_id = ?, table_name = ?, file_format = ?, app = ?,
    write_timestamp = ?, seconds = ?, received_at = ?, claimed_at = ?, replay_of = ?, displaced = ?, archived = ?
    WHERE {_KEY} AND ingest_id = ? IF state = NULL;
APPLY BATCH"""
_CLAIM_FREE = _CLAIM.format(claimable="live_ingest = NULL")
# A lease on what is committed is a purge's.
_CLAIM_FROM = _CLAIM.format(claimable="live_ingest = ? AND holder = NULL")

_UNCLAIMED = f"""UPDATE {_FILES} SET state = ?, name = ?, size = ?, run_id = ?, file_format = ?, problem = ?,
    duplicate_of = ?, received_at = ?, finished_at = ? WHERE {_KEY} AND ingest_id = ? IF state = NULL"""

_LEASE = f"UPDATE {_FILES} USING TTL ? SET holder = ? WHERE {_KEY} IF live_ingest = ? AND holder = ?"
_RELEASE = f"UPDATE {_FILES} SET holder = NULL WHERE {_KEY} IF holder = ?"

_BEGIN = f"""BEGIN BATCH
UPDATE {_FILES} SET live_ingest = ? WHERE {_KEY} IF live_ingest = ? AND holder = ?;
UPDATE {_FILES} SET state = ?, attempts = ?, run_id = ?, app = ?, app_version = ?, app_digest = ?, changed = ?
    WHERE {_KEY} AND ingest_id = ? IF state IN ?;
APPLY BATCH"""

_FINISH = f"""BEGIN BATCH
UPDATE {_FILES} SET live_ingest = ?, holder = NULL WHERE {_KEY} IF live_ingest = ? AND holder = ?;
UPDATE {_FILES} SET state = ?, failures = ?, rows_read = ?, rows_written = ?, rows_repeated = ?, rows_rejected = ?,
    bytes_written = ?, seconds = ?, problem = ?, finished_at = ? WHERE {_KEY} AND ingest_id = ? IF state IN ?;
APPLY BATCH"""

_CHECKPOINT = f"""BEGIN BATCH
UPDATE {_FILES} SET live_ingest = ? WHERE {_KEY} IF live_ingest = ? AND holder = ?;
UPDATE {_FILES} SET rows_written = ?, bytes_written = ? WHERE {_KEY} AND ingest_id = ? IF state IN ?;
APPLY BATCH"""

_PENDING = [str(state) for state in sorted(PENDING)]
_NOTE = f"UPDATE {_FILES} SET problem = ?, failures = ?, attempts = ? WHERE {_KEY} AND ingest_id = ? IF state IN ?"
_ARCHIVED = f"UPDATE {_FILES} SET archived = ? WHERE {_KEY} AND ingest_id = ?"


def now() -> datetime:
    """UTC, to the millisecond, as Cassandra keeps it."""
    moment = datetime.now(tz=UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class Files:
    """Reads and moves file records."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def find(self, ref: Ref) -> FileRecord | None:
        """The record, or None when the file was received but never got beyond that."""
        rows = await self._statements.run(_FIND, ref.tenant, ref.sha256, ref.ingest_id)
        return FileRecord.from_row(rows[0]) if rows and rows[0]["state"] is not None else None

    async def claim(self, wanted: FileRecord) -> FileRecord:
        """received → claimed | duplicate: exactly one of several claims on the same bytes is won.

        Returns the record as it is now. Calling again for the same ingest returns what it has become. A replay takes
        the claim from the ingest it repeats, where that still has it; the bytes of a purged one are free.

        Raises:
            TransientError: FILE_IN_USE, the ingest to be replayed is just being purged.
        """
        known = await self.find(wanted.ref)
        if known is not None:
            return known
        wanted = await self._after(wanted)
        applied, live = await self._take(wanted)
        if not applied and wanted.replay_of is not None and live is None:
            wanted = replace(wanted, displaced=None)
            applied, live = await self._take(wanted)
        if applied:
            return await self._must_find(wanted.ref)
        # Either this very ingest has its record (another run's, or our own first try that we heard nothing of),
        # or the bytes are another's.
        known = await self.find(wanted.ref)
        if known is not None:
            return known
        if live == wanted.replay_of:
            what = "another run is at work on what is to be replayed"
            raise TransientError(Problem(Code.FILE_IN_USE, what, file=safe_label(wanted.name)))
        return await self.end_unclaimed(replace(wanted, state=State.DUPLICATE, duplicate_of=live))

    async def _after(self, wanted: FileRecord) -> FileRecord:
        """`wanted` with its write timestamp; a replay's is later than that of what it repeats, whatever the clocks say.

        To the microsecond: two ingests with one timestamp could each win some cells of a row they share.
        """
        timestamp = time.time_ns() // 1000
        if wanted.replay_of is None:
            return replace(wanted, write_timestamp=timestamp)
        old = await self._must_find(replace(wanted, ingest_id=wanted.replay_of).ref)
        return replace(
            wanted,
            write_timestamp=max(timestamp, (old.write_timestamp or 0) + 1),
            displaced=old.ingest_id,
            archived=old.archived,
        )

    async def _take(self, wanted: FileRecord) -> tuple[bool, UUID | None]:
        """Try the claim: was it won, and if not, whose it is (None: nobody's)."""
        expected = () if wanted.displaced is None else (wanted.displaced,)
        applied, found = await self._statements.applies(
            _CLAIM_FROM if expected else _CLAIM_FREE,
            wanted.ingest_id, wanted.tenant, wanted.sha256, *expected,
            str(State.CLAIMED), name_to_text(wanted.name), wanted.size, wanted.run_id, wanted.table_name,
            wanted.file_format, wanted.app, wanted.write_timestamp, wanted.seconds, wanted.received_at, now(),
            wanted.replay_of, wanted.displaced, wanted.archived, wanted.tenant, wanted.sha256, wanted.ingest_id,
        )  # fmt: skip
        return applied, None if applied else found.get("live_ingest")

    async def end_unclaimed(self, record: FileRecord) -> FileRecord:
        """received → rejected | duplicate, for a file that never held a claim; keeps what is there already."""
        if not may_become(State.RECEIVED, record.state):
            raise ValueError(f"received → {record.state}")
        await self._statements.applies(
            _UNCLAIMED,
            str(record.state), name_to_text(record.name), record.size, record.run_id, record.file_format,
            problem_to_json(record.problem) if record.problem else None, record.duplicate_of,
            record.received_at, now(), record.tenant, record.sha256, record.ingest_id,
        )  # fmt: skip
        return await self._must_find(record.ref)

    async def lease(self, ref: Ref, holder: str, seconds: int, *, renew: bool = False) -> bool:
        """Take (or renew) the lease on a claim for `seconds`; False when another holds it or the claim is gone."""
        expected = holder if renew else None
        applied, found = await self._statements.applies(
            _LEASE, seconds, holder, ref.tenant, ref.sha256, ref.ingest_id, expected
        )
        # A repeated request finds the answer to its own first try.
        return applied or (found.get("holder") == holder and found.get("live_ingest") == ref.ingest_id)

    async def release(self, ref: Ref, holder: str) -> None:
        """Give the lease back without a verdict, so that a retry need not wait for it to expire."""
        await self._statements.applies(_RELEASE, ref.tenant, ref.sha256, holder)

    async def begin(self, record: FileRecord, holder: str) -> FileRecord:
        """claimed → ingesting (again, after a take-over); counts the attempt and names the app that runs."""
        _check(record.state, State.INGESTING)
        applied, _ = await self._statements.applies(
            _BEGIN,
            record.ingest_id, record.tenant, record.sha256, record.ingest_id, holder,
            str(State.INGESTING), record.attempts + 1, record.run_id, record.app, record.app_version,
            record.app_digest, record.changed, record.tenant, record.sha256, record.ingest_id, _PENDING,
        )  # fmt: skip
        if not applied:  # a repeated request would be applied again: whoever is refused is not the holder
            raise _lost(record)
        return replace(record, state=State.INGESTING, attempts=record.attempts + 1, holder=holder)

    async def finish(self, record: FileRecord, state: State, holder: str) -> FileRecord:
        """→ committed | rejected | failed, with the counts in `record`. Only a commit keeps the claim; a replay that
        fails gives it back to the ingest it took it from."""
        _check(record.state, state)
        keeps = record.ingest_id if state is State.COMMITTED else record.displaced
        applied, _ = await self._statements.applies(
            _FINISH,
            keeps, record.tenant, record.sha256, record.ingest_id, holder,
            str(state), record.failures,
            record.rows_read, record.rows_written, record.rows_repeated, record.rows_rejected, record.bytes_written,
            record.seconds, problem_to_json(record.problem) if record.problem else None, now(),
            record.tenant, record.sha256, record.ingest_id, _PENDING,
        )  # fmt: skip
        found = await self._must_find(record.ref)
        if not applied and found.state is not state:  # the same state: the answer to our own first try was lost
            raise _lost(record)
        return found

    async def checkpoint(self, record: FileRecord, holder: str) -> None:
        """The first `rows_written` rows of the file's spool are durable in coredms; changes no state."""
        applied, _ = await self._statements.applies(
            _CHECKPOINT,
            record.ingest_id, record.tenant, record.sha256, record.ingest_id, holder,
            record.rows_written, record.bytes_written, record.tenant, record.sha256, record.ingest_id, _PENDING,
        )  # fmt: skip
        if not applied:
            raise _lost(record)

    async def note(self, record: FileRecord, problem: Problem) -> None:
        """Write down why a pending file waits, and its counts of attempts and failures; changes no state."""
        await self._statements.applies(
            _NOTE, problem_to_json(problem), record.failures, record.attempts,
            record.tenant, record.sha256, record.ingest_id, _PENDING,
        )  # fmt: skip

    async def archived(self, ref: Ref, place: str) -> None:
        """Remember where the bytes of a committed file are kept."""
        await self._statements.run(_ARCHIVED, place, ref.tenant, ref.sha256, ref.ingest_id)

    async def _must_find(self, ref: Ref) -> FileRecord:
        record = await self.find(ref)
        if record is None:
            raise TransientError(Problem(Code.COREDMS_UNREACHABLE, f"{ref} was written but is not read back"))
        return record


def _lost(record: FileRecord) -> TransientError:
    what = "the lease on it expired, and another run has taken it over or ended it"
    return TransientError(Problem(Code.CLAIM_LOST, what, file=safe_label(record.name)))


def _check(old: State, new: State) -> None:
    if not may_become(old, new):
        raise ValueError(f"{old} → {new}")
