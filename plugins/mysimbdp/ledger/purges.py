"""The marks of a purge: begun, with the rows there were, and done, with the claim on the bytes given back."""

from __future__ import annotations

from mysimbdp.errors import Code, Problem, TransientError
from mysimbdp.landing.names import safe_label
from mysimbdp.ledger.files import now
from mysimbdp.ledger.record import FileRecord
from mysimbdp.ledger.schema import LEDGER_KEYSPACE
from mysimbdp.ledger.statements import Statements
from mysimbdp.ledger.states import State

_FILES = f"{LEDGER_KEYSPACE}.files"
_KEY = "tenant = ? AND sha256 = ?"
_BEGIN = f"""UPDATE {_FILES} SET purge_begun_at = ?, rows_purged = ? WHERE {_KEY} AND ingest_id = ?
    IF state = ? AND purge_begun_at = NULL"""
_END = f"UPDATE {_FILES} SET purged_at = ? WHERE {_KEY} AND ingest_id = ? IF state = ? AND purged_at = NULL"
_END_AND_GIVE_BACK = f"""BEGIN BATCH
UPDATE {_FILES} SET live_ingest = NULL, holder = NULL WHERE {_KEY} IF live_ingest = ? AND holder = ?;
{_END};
APPLY BATCH"""


class Purges:
    """Marks committed files whose rows are taken away again; their state stays committed."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def begin(self, record: FileRecord, rows: int) -> None:
        """The purge of `rows` rows begins; the first beginning stays, so that `rows` is true after a repetition."""
        await self._statements.applies(
            _BEGIN, now(), rows, record.tenant, record.sha256, record.ingest_id, str(State.COMMITTED)
        )

    async def end(self, record: FileRecord, holder: str | None) -> None:
        """The rows are gone. With a `holder`, its lease on the claim is checked and the bytes are free from here on.

        Raises:
            TransientError: CLAIM_LOST, the lease expired and another run has taken the bytes over.
        """
        mark = (now(), record.tenant, record.sha256, record.ingest_id, str(State.COMMITTED))
        if holder is None:
            await self._statements.applies(_END, *mark)
            return
        fence = (record.tenant, record.sha256, record.ingest_id, holder)
        applied, found = await self._statements.applies(_END_AND_GIVE_BACK, *fence, *mark)
        # A repeated request finds what its own first try has done.
        if not applied and found.get("live_ingest") is not None:
            what = "the lease on it expired, and another run has taken it over"
            raise TransientError(Problem(Code.CLAIM_LOST, what, file=safe_label(record.name)))
