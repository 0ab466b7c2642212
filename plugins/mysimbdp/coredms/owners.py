"""Asks a table, key by key, which ingest the row there is from: by the write timestamp, which no two ingests share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from mysimbdp.coredms.batching import read_limits
from mysimbdp.coredms.binding import bindable, placeholder
from mysimbdp.coredms.faults import fault_of, first_of
from mysimbdp.coredms.identifiers import quoted
from mysimbdp.coredms.retrying import PATIENCE_SECONDS, Persistence, Throttle
from mysimbdp.tenants.model import Table

Key = tuple[Any, ...]


@dataclass(slots=True)
class Owned:
    """Of the keys asked for: whose rows they are, seen from one ingest. `gone` are indices of keys without its row."""

    held: int
    superseded: int
    gone: list[int]


class Owners:
    """Looks rows of `keyspace.table_name` up by their keys."""

    def __init__(self, session: Any, keyspace: str, table_name: str, table: Table) -> None:
        self._session = session
        self._types = table.cql_columns
        self.key = [*table.cql_partition_key, *table.cql_clustering_key]
        others = [name for name in self._types if name not in self.key]
        # Lineage is written with every row; without it any column may be the one that has a value.
        stamped = [name for name in others if name == "_ingest"] or others
        self.where = " AND ".join(f"{quoted(name)} = {placeholder(self._types[name])}" for name in self.key)
        # The highest one: a set or map that is not frozen has one for each element.
        columns = ", ".join(f"MAXWRITETIME({quoted(name)})" for name in stamped) or quoted(self.key[0])
        self._has_stamps = bool(stamped)
        self._select = f"SELECT {columns} FROM {quoted(keyspace)}.{quoted(table_name)} WHERE {self.where}"
        self._prepared: dict[str, Any] = {}

    def keys(self, rows: pa.RecordBatch) -> list[Key]:
        """The keys of `rows`, as the driver takes them."""
        return list(zip(*(bindable(rows.column(name), self._types[name]) for name in self.key), strict=True))

    async def stamps(self, key: Key, persistence: Persistence) -> set[int] | None:
        """Write timestamps of the row at `key`, in microseconds; None: no row, empty: nothing says whose it is."""
        found = (await self.run(self._select, key, persistence)).first()
        if found is None:
            return None
        return {stamp for stamp in found.as_dict().values() if stamp is not None} if self._has_stamps else set()

    async def of(self, rows: pa.RecordBatch, timestamp_us: int) -> Owned:
        """What became of rows written at `timestamp_us`: still there, superseded by a later ingest, or gone.

        Raises:
            TransientError, TerminalError: as the loader.
        """
        owned = Owned(0, 0, [])
        throttle = Throttle((await read_limits(self._session)).requests_at_once)
        persistence = Persistence(throttle, patience_seconds=PATIENCE_SECONDS)

        async def one(number: int, key: Key) -> None:
            stamps = await self.stamps(key, persistence)
            if stamps is None or (stamps and max(stamps) < timestamp_us):
                owned.gone.append(number)
            elif not stamps or max(stamps) == timestamp_us:
                owned.held += 1
            else:
                owned.superseded += 1

        try:
            await self.prepare()
            await each(self.keys(rows), throttle, one)
        except BaseExceptionGroup as group:
            first = first_of(group)
            raise first from first.__cause__
        owned.gone.sort()
        return owned

    async def run(self, cql: str, key: Key, persistence: Persistence) -> Any:
        """Execute a statement made ready by `prepare` until it succeeds."""
        result: list[Any] = []

        async def request() -> None:
            result[:] = [await self._session.execute(self._prepared[cql].bind(key))]

        await persistence.run(request)
        return result[0]

    async def prepare(self, *more: str) -> None:
        """Make the look-up ready, and statements of `more` that take a key."""
        for cql in (self._select, *more):
            if cql not in self._prepared:
                try:
                    self._prepared[cql] = await self._session.create_prepared(cql)
                except Exception as error:
                    raise fault_of(error) from error


async def each(keys: Sequence[Key], throttle: Throttle, one: Callable[[int, Key], Awaitable[None]]) -> None:
    """Call `one` for every key with its number, as many at once as `throttle` lets.

    Raises:
        ExceptionGroup: of what `one` has raised.
    """

    async def released(number: int, key: Key) -> None:
        try:
            await one(number, key)
        finally:
            throttle.release()

    async with asyncio.TaskGroup() as under_way:
        for number, key in enumerate(keys):
            await throttle.acquire()
            under_way.create_task(released(number, key))
