"""`python -m mysimbdp.bench.writers.bare_loader FILE TENANT`: coredms.loader.Loader, fed from typed rows on disk."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid1

import pyarrow as pa

from mysimbdp.bench.shapes import TABLE
from mysimbdp.bench.writers.timing import timed
from mysimbdp.coredms.loader import Loader
from mysimbdp.coredms.session import coredms_session
from mysimbdp.formats.delimited import read_delimited
from mysimbdp.formats.fieldnames import Field
from mysimbdp.quality.gate import Gate
from mysimbdp.settings import settings
from mysimbdp.tenants.model import Table, Tenant
from mysimbdp.tenants.store import load_tenant


def main() -> None:
    """Type the rows of FILE into an Arrow stream beside us, then load that against the clock."""
    file, tenant = Path(sys.argv[1]), load_tenant(settings().tenants_dir, sys.argv[2])
    spool = Path("rows.arrows").resolve()
    try:
        _write_typed(file, tenant.tables[TABLE], spool)
        asyncio.run(_load(tenant, spool))
    finally:
        spool.unlink(missing_ok=True)


def _write_typed(file: Path, table: Table, spool: Path) -> None:
    gate = Gate(table, TABLE, file.name)
    fields = [Field(name, name, name in table.required_columns) for name in table.columns]
    writer = None
    with file.open("rb") as stream:
        for batch in read_delimited(stream, fields, _refuse, _refuse):
            admitted = gate.admit(batch)
            if admitted.rejected:
                raise ValueError(f"a row is rejected: {admitted.rejected[0]}")
            writer = writer or pa.ipc.new_stream(str(spool), admitted.rows.schema)
            writer.write_batch(admitted.rows)
    if writer is not None:
        writer.close()


async def _load(tenant: Tenant, spool: Path) -> None:
    async with coredms_session() as session:
        loader = Loader(
            session,
            tenant.keyspace,
            TABLE,
            tenant.tables[TABLE],
            write_timestamp_us=time.time_ns() // 1000,
            ingest_id=uuid1(),
            file_digest="0" * 64,
        )
        with timed():
            await loader.load(_rows(spool))


def _rows(spool: Path) -> Iterator[pa.RecordBatch]:
    with pa.OSFile(str(spool), "rb") as source, pa.ipc.open_stream(source) as reader:
        yield from reader


def _refuse(fault: object) -> None:
    raise ValueError(f"a benchmark's file is not clean: {fault}")


if __name__ == "__main__":
    main()
