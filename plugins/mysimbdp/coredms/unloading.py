"""Takes back what an ingest has written, when the file ends without a commit after all."""

from __future__ import annotations

import asyncio
from typing import Any

import pyarrow as pa

from mysimbdp.coredms.binding import bindable, placeholder
from mysimbdp.coredms.faults import fault_of
from mysimbdp.coredms.identifiers import quoted
from mysimbdp.coredms.retrying import Persistence, Throttle
from mysimbdp.tenants.model import Table


class Deletes:
    """Deletes rows of `keyspace.table_name` that carry the write timestamp of one ingest, and no others.

    A row that this ingest never wrote, or that a later ingest has overwritten, keeps what it has. A row that was there
    before and was overwritten is gone: Cassandra keeps no former version. The tombstone has the ingest's own timestamp
    and wins over its rows, so that a writer that still lingers cannot bring them back.
    """

    def __init__(self, session: Any, keyspace: str, table_name: str, table: Table, timestamp_us: int) -> None:
        self._session = session
        self._timestamp = timestamp_us
        self._types = table.cql_columns
        self._key = [*table.cql_partition_key, *table.cql_clustering_key]
        others = [name for name in self._types if name not in self._key]
        # Lineage is written with every row; without it any column may be the one that has a value.
        self._stamped = [name for name in others if name == "_ingest"] or others
        where = " AND ".join(f"{quoted(name)} = {placeholder(self._types[name])}" for name in self._key)
        target = f"{quoted(keyspace)}.{quoted(table_name)}"
        # the highest one: a set or map that is not frozen has one for each element
        stamps = ", ".join(f"MAXWRITETIME({quoted(name)})" for name in self._stamped)
        self._select = f"SELECT {stamps} FROM {target} WHERE {where}" if stamps else None
        self._delete = f"DELETE FROM {target} USING TIMESTAMP {timestamp_us} WHERE {where}"
        self._prepared: dict[str, Any] = {}

    async def delete(self, rows: pa.RecordBatch, throttle: Throttle, persistence: Persistence) -> int:
        """Delete those of `rows` (the key's columns at least) that are this ingest's; returns how many were.

        Raises:
            TransientError, TerminalError: as the loader.
        """
        keys = list(zip(*(bindable(rows.column(name), self._types[name]) for name in self._key), strict=True))
        for cql in filter(None, (self._select, self._delete)):
            await self._prepare(cql)
        deleted = 0

        async def one(key: tuple[Any, ...]) -> None:
            nonlocal deleted
            try:
                if await self._is_ours(key, persistence):
                    await self._run(self._delete, key, persistence)
                    deleted += 1
            finally:
                throttle.release()

        async with asyncio.TaskGroup() as under_way:
            for key in keys:
                await throttle.acquire()
                under_way.create_task(one(key))
        return deleted

    async def _is_ours(self, key: tuple[Any, ...], persistence: Persistence) -> bool:
        if self._select is None:
            return True
        found = (await self._run(self._select, key, persistence)).first()
        if found is None:
            return False
        stamps = {stamp for stamp in found.as_dict().values() if stamp is not None}
        return not stamps or self._timestamp in stamps  # without any value: nothing says whose it is

    async def _run(self, cql: str, key: tuple[Any, ...], persistence: Persistence) -> Any:
        result: list[Any] = []

        async def request() -> None:
            result[:] = [await self._session.execute(self._prepared[cql].bind(key))]

        await persistence.run(request)
        return result[0]

    async def _prepare(self, cql: str) -> None:
        if cql not in self._prepared:
            try:
                self._prepared[cql] = await self._session.create_prepared(cql)
            except Exception as error:
                raise fault_of(error) from error
