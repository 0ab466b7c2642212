"""Counts the rows of a whole table by the ingest they are from, in one pass over the token ring."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import UUID

import acsylla

from mysimbdp.coredms.faults import fault_of, first_of
from mysimbdp.coredms.identifiers import quoted
from mysimbdp.coredms.retrying import PATIENCE_SECONDS, Persistence, Throttle

RANGES = 64
RANGES_AT_ONCE = 4
PAGE_ROWS = 5000
_COLUMNS = "SELECT column_name, kind, position FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ?"
_FIRST_TOKEN, _LAST_TOKEN = -(2**63), 2**63 - 1

Owner = UUID | int | None
"""The ingest id; of a table without lineage the write timestamp in microseconds; None where nothing says it."""


async def census(session: Any, keyspace: str, table_name: str) -> Counter[Owner] | None:
    """Rows of `keyspace.table_name` by their owner; None when there is no such table.

    Rows written while it counts are counted or not; RANGES_AT_ONCE pages are in memory at a time.

    Raises:
        TransientError: COREDMS_UNREACHABLE, COREDMS_OVERLOADED.
        TerminalError: COREDMS_REFUSED.
    """
    try:
        kinds = await _columns(session, keyspace, table_name)
        if not kinds:
            return None
        question = _Question.about(keyspace, table_name, kinds)
        prepared = await session.create_prepared(question.cql)
    except Exception as error:
        raise fault_of(error) from error
    counted: Counter[Owner] = Counter()
    throttle = Throttle(RANGES_AT_ONCE)
    persistence = Persistence(throttle, patience_seconds=PATIENCE_SECONDS)

    async def one(first: int, last: int) -> None:
        page_state: bytes | None = None
        pages: list[Any] = []

        async def read() -> None:
            statement = prepared(page_size=PAGE_ROWS, page_state=page_state)
            statement.bind(0, first)
            statement.bind(1, last)
            pages[:] = [await session.execute(statement)]

        try:
            while True:
                await persistence.run(read)
                (page,) = pages
                counted.update(question.owner(row.as_dict()) for row in page.all())
                if not page.has_more_pages():
                    return
                page_state = page.page_state()
        finally:
            throttle.release()

    bounds = [_FIRST_TOKEN + number * (2**64 // RANGES) for number in range(RANGES)] + [_LAST_TOKEN]
    try:
        async with asyncio.TaskGroup() as under_way:
            for first, last in pairwise(bounds):
                await throttle.acquire()
                under_way.create_task(one(first, last))
    except BaseExceptionGroup as group:
        fault = first_of(group)
        raise fault from fault.__cause__
    return counted


async def _columns(session: Any, keyspace: str, table_name: str) -> dict[str, str]:
    """Names and kinds, those of the key in its order."""
    rows = (await session.execute(acsylla.create_statement(_COLUMNS, [keyspace, table_name]))).all()
    found = sorted((row.as_dict() for row in rows), key=lambda row: (row["position"], row["column_name"]))
    return {row["column_name"]: row["kind"] for row in found}


@dataclass(frozen=True, slots=True)
class _Question:
    """What is selected of each row of a range of tokens, and what makes an Owner of it."""

    cql: str
    tells: bool
    by_ingest: bool

    @classmethod
    def about(cls, keyspace: str, table_name: str, kinds: dict[str, str]) -> _Question:
        partition = [quoted(name) for name, kind in kinds.items() if kind == "partition_key"]
        values = [name for name, kind in kinds.items() if kind in {"regular", "static"}]
        by_ingest = "_ingest" in values
        # The highest one: a set or map that is not frozen has one for each element.
        asked = [quoted("_ingest")] if by_ingest else [f"MAXWRITETIME({quoted(name)})" for name in values]
        token = f"token({', '.join(partition)})"
        # Of a table with nothing but a key the rows can be counted, and nothing says whose they are.
        cql = (
            f"SELECT {', '.join(asked or partition[:1])} FROM {quoted(keyspace)}.{quoted(table_name)} "
            f"WHERE {token} > ? AND {token} <= ?"
        )
        return cls(cql, bool(asked), by_ingest)

    def owner(self, row: dict[str, Any]) -> Owner:
        found = [value for value in row.values() if value is not None] if self.tells else []
        if not found:
            return None
        return UUID(str(found[0])) if self.by_ingest else max(found)
