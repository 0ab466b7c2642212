"""Loads typed Arrow rows into one table as SSTables: for loads so big that starting a JVM is nothing beside them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, Callable, Iterable
from typing import Any
from uuid import UUID

import acsylla
import pyarrow as pa

from mysimbdp.coredms.bulk.frames import frame
from mysimbdp.coredms.bulk.target import BulkTarget
from mysimbdp.coredms.bulk.writing import Writing
from mysimbdp.coredms.completing import Completion
from mysimbdp.coredms.faults import fault_of
from mysimbdp.coredms.identifiers import quoted
from mysimbdp.coredms.loader import LoadResult
from mysimbdp.coredms.windows import windows
from mysimbdp.errors import Code, Problem, TransientError
from mysimbdp.tenants.model import Table


class BulkLoader:
    """Loads rows of one ingest into `keyspace.table_name` of a cluster that is one node, by way of `target`.

    The rest is as for Loader, and so are the rows in the table. They all appear at the end, when `progress` is called.
    """

    def __init__(
        self,
        session: Any,
        keyspace: str,
        table_name: str,
        table: Table,
        *,
        target: BulkTarget,
        write_timestamp_us: int,
        ingest_id: UUID,
        file_digest: str,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self._session = session
        self._keyspace = keyspace
        self._table_name = table_name
        self._types = table.cql_columns
        self._target = target
        self._timestamp = write_timestamp_us
        self._completion = Completion(table, ingest_id=ingest_id, file_digest=file_digest)
        self._progress = progress

    async def load(self, rows: AsyncIterable[pa.RecordBatch] | Iterable[pa.RecordBatch]) -> LoadResult:
        """Load all of `rows`: any subset of the table's columns plus `_source`, typed as coredms.types says.

        When it ends early, for whatever reason, either none of the rows is in the table or all of them are.

        Raises:
            TransientError: COREDMS_UNREACHABLE, COREDMS_OVERLOADED, BULK_FAILED.
            TerminalError: COREDMS_REFUSED, SCHEMA_NOT_APPLIED.
        """
        begun = time.monotonic()
        create = await self._create()
        count = size = 0
        writing = await Writing.begin(self._target)
        try:
            await writing.tell([self._keyspace, self._table_name, create, self._timestamp, ",".join(self._types)])
            async for window in windows(rows):
                count += window.num_rows
                size += window.nbytes
                await writing.send(frame(self._completion.completed(window), self._types))
            imported = await writing.finish()
        finally:
            await asyncio.shield(writing.close())
        if imported != count:
            what = f"{count} rows were sent and {imported} imported"
            raise TransientError(Problem(Code.BULK_FAILED, what))
        if self._progress:
            self._progress(count)
        return LoadResult(count, size, 0, time.monotonic() - begun)

    async def _create(self) -> str:
        """The table's CREATE as the node has it: SSTables are compressed, and rows ordered, as its own."""
        query = f"DESCRIBE TABLE {quoted(self._keyspace)}.{quoted(self._table_name)}"
        try:
            described = await self._session.execute(acsylla.create_statement(query))
            return str(next(row["create_statement"] for row in described if row["type"] == "table"))
        except Exception as error:
            raise fault_of(error) from error
