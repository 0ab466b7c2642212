"""Runs the ledger's CQL: prepared once a session, faults named, transient ones tried again within bounds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from mysimbdp.coredms.faults import fault_of
from mysimbdp.errors import MysimbdpError, TransientError

PAGE_ROWS = 2000
ATTEMPTS = 5
LONGEST_PAUSE_SECONDS = 4

UUID_COLUMNS = frozenset({"ingest_id", "live_ingest", "duplicate_of", "replay_of", "displaced"})

Row = dict[str, Any]


class Statements:
    """CQL in, rows out. Every statement of the ledger may be repeated: none counts or appends."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._prepared: dict[str, Any] = {}

    async def run(self, cql: str, *values: Any) -> list[Row]:
        """Execute `cql` and return all rows, whatever the number of pages.

        Raises:
            TransientError: COREDMS_UNREACHABLE or COREDMS_OVERLOADED after five tries.
            TerminalError: COREDMS_REFUSED.
        """
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.1, max=LONGEST_PAUSE_SECONDS),
            reraise=True,
        ):
            with attempt:
                return await self._run_once(cql, values)
        raise AssertionError("tenacity either returns or raises")

    async def applies(self, cql: str, *values: Any) -> tuple[bool, Row]:
        """Execute a lightweight transaction: was it applied, and if not, what the condition found."""
        rows = await self.run(cql, *values)
        return bool(rows[0]["[applied]"]), rows[0]

    async def _run_once(self, cql: str, values: tuple[Any, ...]) -> list[Row]:
        try:
            if cql not in self._prepared:
                self._prepared[cql] = await self._session.create_prepared(cql)
            prepared = self._prepared[cql]
            rows: list[Row] = []
            page_state: bytes | None = None
            while True:
                statement = prepared(page_size=PAGE_ROWS, page_state=page_state)
                for index, value in enumerate(values):
                    statement.bind(index, value)
                result = await self._session.execute(statement)
                rows.extend(_plain(row.as_dict()) for row in result.all())
                if not result.has_more_pages():
                    return rows
                page_state = result.page_state()
        except MysimbdpError:
            raise
        except Exception as error:
            raise fault_of(error) from error


def _plain(row: Row) -> Row:
    """acsylla gives uuids as text and some times without a zone: make both what Python expects."""
    return {name: _plain_value(name, value) for name, value in row.items()}


def _plain_value(name: str, value: Any) -> Any:
    if name in UUID_COLUMNS and isinstance(value, str):
        return UUID(value)
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value
