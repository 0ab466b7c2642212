"""Takes back what an ingest has written: when the file ends without a commit after all, or is purged."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from mysimbdp.coredms.identifiers import quoted
from mysimbdp.coredms.owners import Key, Owners, each
from mysimbdp.coredms.retrying import Persistence, Throttle
from mysimbdp.tenants.model import Table


class Deletes:
    """Deletes rows of `keyspace.table_name` that carry the write timestamp of one ingest, and no others.

    A row that this ingest never wrote, or that a later ingest has overwritten, keeps what it has. A row that was there
    before and was overwritten is gone: Cassandra keeps no former version. The tombstone has the ingest's own timestamp
    and wins over its rows, so that a writer that still lingers cannot bring them back.
    """

    def __init__(self, session: Any, keyspace: str, table_name: str, table: Table, timestamp_us: int) -> None:
        self._timestamp = timestamp_us
        self._owners = Owners(session, keyspace, table_name, table)
        target = f"{quoted(keyspace)}.{quoted(table_name)}"
        self._delete = f"DELETE FROM {target} USING TIMESTAMP {timestamp_us} WHERE {self._owners.where}"

    async def delete(self, rows: pa.RecordBatch, throttle: Throttle, persistence: Persistence) -> int:
        """Delete those of `rows` (the key's columns at least) that are this ingest's; returns how many were.

        Raises:
            ExceptionGroup: of TransientError, TerminalError, as the loader.
        """
        await self._owners.prepare(self._delete)
        deleted = 0

        async def one(_number: int, key: Key) -> None:
            nonlocal deleted
            stamps = await self._owners.stamps(key, persistence)
            # Without any value nothing says whose row it is.
            if stamps is not None and (not stamps or self._timestamp in stamps):
                await self._owners.run(self._delete, key, persistence)
                deleted += 1

        await each(self._owners.keys(rows), throttle, one)
        return deleted
