"""One call that loads rows the way an ingest does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from uuid import UUID, uuid1

import pyarrow as pa

from mysimbdp.connections import COREDMS, connection
from mysimbdp.coredms.bulk.loader import BulkLoader
from mysimbdp.coredms.bulk.target import BulkTarget
from mysimbdp.coredms.loader import Loader, LoadResult
from mysimbdp.coredms.session import coredms_session
from mysimbdp.tenants.model import Tenant

INGEST = uuid1()
DIGEST = "ab" * 32


def load(
    tenant: Tenant,
    table: str,
    rows: Iterable[pa.RecordBatch],
    *,
    timestamp: int = 1_000_000,
    ingest: UUID = INGEST,
    digest: str = DIGEST,
    progress: Callable[[int], None] | None = None,
    patience_seconds: float = 60,
) -> LoadResult:
    """Load `rows` into the tenant's table over a session of its own."""

    async def work() -> LoadResult:
        async with coredms_session() as session:
            loader = Loader(
                session,
                tenant.keyspace,
                table,
                tenant.tables[table],
                write_timestamp_us=timestamp,
                ingest_id=ingest,
                file_digest=digest,
                progress=progress,
                patience_seconds=patience_seconds,
            )
            return await loader.load(rows)

    return asyncio.run(work())


def bulk_target() -> BulkTarget:
    """The test onebox's node."""
    target = BulkTarget.of(connection(COREDMS))
    assert target is not None
    return target


async def bulk_loading(
    tenant: Tenant,
    table: str,
    rows: Iterable[pa.RecordBatch],
    *,
    target: BulkTarget | None = None,
    timestamp: int = 1_000_000,
    ingest: UUID = INGEST,
    digest: str = DIGEST,
    progress: Callable[[int], None] | None = None,
) -> LoadResult:
    """Load `rows` as SSTables, over a session of its own."""
    async with coredms_session() as session:
        loader = BulkLoader(
            session,
            tenant.keyspace,
            table,
            tenant.tables[table],
            target=target or bulk_target(),
            write_timestamp_us=timestamp,
            ingest_id=ingest,
            file_digest=digest,
            progress=progress,
        )
        return await loader.load(rows)
