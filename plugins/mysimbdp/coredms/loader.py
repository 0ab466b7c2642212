"""Loads typed Arrow rows into one table: bounded, idempotent, and as fast as the server takes them.

Every cell carries one fixed timestamp, so loading the same rows again changes nothing, and an older ingest never wins
over a newer one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import acsylla
import pyarrow as pa

from mysimbdp.coredms.batching import batches, by_partition, partition_starts, read_limits
from mysimbdp.coredms.binding import row_widths
from mysimbdp.coredms.completing import Completion
from mysimbdp.coredms.faults import first_of
from mysimbdp.coredms.inserting import BoundRows, Inserts
from mysimbdp.coredms.retrying import PATIENCE_SECONDS, Persistence, Throttle
from mysimbdp.coredms.unloading import Deletes
from mysimbdp.coredms.windows import windows
from mysimbdp.errors import TerminalError
from mysimbdp.tenants.cqltypes import NestedType
from mysimbdp.tenants.model import Table

ALONE_FROM_BYTES = 1024 * 1024
"""A batch or row of this size is sent with nothing else started beside it, so that memory stays bounded."""


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What one load did: rows acknowledged, their size in Arrow bytes, requests repeated, seconds in all."""

    rows: int
    bytes: int
    retries: int
    seconds: float


class Loader:
    """Loads rows of one ingest into `keyspace.table_name`.

    `write_timestamp_us` is the USING TIMESTAMP of every row, in microseconds since the epoch. `progress` is called
    with the rows acknowledged so far, after each request.
    """

    def __init__(
        self,
        session: Any,
        keyspace: str,
        table_name: str,
        table: Table,
        *,
        write_timestamp_us: int,
        ingest_id: UUID,
        file_digest: str,
        progress: Callable[[int], None] | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._session = session
        self._keyspace = keyspace
        self._table_name = table_name
        self._table = table
        self._cellwise = [
            name for name, cql in table.cql_columns.items() if isinstance(cql, NestedType) and not cql.frozen
        ]
        self._inserts = Inserts(session, keyspace, table_name, table.cql_columns)
        self._timestamp = write_timestamp_us
        self._completion = Completion(table, ingest_id=ingest_id, file_digest=file_digest)
        self._progress = progress
        self._patience = patience_seconds
        self._rows = 0

    async def load(self, rows: AsyncIterable[pa.RecordBatch] | Iterable[pa.RecordBatch]) -> LoadResult:
        """Load all of `rows`: any subset of the table's columns plus `_source`, typed as coredms.types says.

        Raises:
            TransientError: COREDMS_UNREACHABLE or COREDMS_OVERLOADED, when nothing went through for the time of
                patience (120 s unless told).
            TerminalError: COREDMS_REFUSED, SCHEMA_NOT_APPLIED.
        """
        begun = time.monotonic()
        self._rows = size = 0
        limits = await read_limits(self._session)
        throttle = Throttle(limits.requests_at_once)
        persistence = Persistence(throttle, patience_seconds=self._patience)
        try:
            async with asyncio.TaskGroup() as under_way:
                async for window in windows(rows):
                    size += window.nbytes
                    ordered = self._ordered(self._completion.completed(window))
                    bound = await self._inserts.bound(ordered)
                    widths = row_widths(ordered, self._cellwise)
                    starts = partition_starts(ordered, self._table.cql_partition_key)
                    for batch in batches(starts, widths, limits):
                        await throttle.acquire()
                        sending = self._send(bound, batch, throttle, persistence)
                        if sum(widths[batch.start : batch.stop]) >= ALONE_FROM_BYTES:
                            await sending
                        else:
                            under_way.create_task(sending)
                            await asyncio.sleep(0)  # others on this loop (leases) get their turn
        except BaseExceptionGroup as group:
            first = first_of(group)
            raise first from first.__cause__
        return LoadResult(self._rows, size, persistence.retries, time.monotonic() - begun)

    async def unload(self, rows: AsyncIterable[pa.RecordBatch] | Iterable[pa.RecordBatch]) -> int:
        """Take back what `load` of the same `rows` has written, in this process or another; returns how many rows.

        Raises:
            TransientError, TerminalError: as `load`.
        """
        throttle = Throttle((await read_limits(self._session)).requests_at_once)
        persistence = Persistence(throttle, patience_seconds=self._patience)
        deletes = Deletes(self._session, self._keyspace, self._table_name, self._table, self._timestamp)
        try:
            return sum(
                [
                    await deletes.delete(self._completion.completed(window), throttle, persistence)
                    async for window in windows(rows)
                ]
            )
        except BaseExceptionGroup as group:
            first = first_of(group)
            raise first from first.__cause__

    def _ordered(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Grouped by partition where a partition can have several rows and does not have them all."""
        if self._table.has_natural_key and self._table.clustering_key:
            return by_partition(rows, self._table.cql_partition_key)
        return rows

    async def _send(self, rows: BoundRows, batch: range, throttle: Throttle, persistence: Persistence) -> None:
        try:
            statements = [rows.statement(index) for index in batch]
            try:
                await persistence.run(self._request(statements))
            except TerminalError as fault:
                # the estimate was too low (or the server's limit changed meanwhile): one by one always fits
                if len(batch) == 1 or "Batch too large" not in fault.problem.what:
                    raise
                for statement in statements:
                    await persistence.run(self._request([statement]))
        finally:
            throttle.release()
        self._rows += len(batch)
        if self._progress:
            self._progress(self._rows)

    def _request(self, statements: list[Any]) -> Callable[[], Awaitable[object]]:
        if len(statements) == 1:
            statement = statements[0]
            statement.set_timestamp(self._timestamp)
            statement.set_is_idempotent(True)
            return lambda: self._session.execute(statement)
        batch = acsylla.create_batch_unlogged()
        batch.set_timestamp(self._timestamp)
        batch.set_is_idempotent(True)
        for statement in statements:
            batch.add_statement(statement)
        return lambda: self._session.execute_batch(batch)
