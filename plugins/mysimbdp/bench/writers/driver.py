"""Peers made of cassandra-driver: `python -m mysimbdp.bench.writers.driver row|concurrent FILE TENANT ROWS`.

`row` is what the first version of this platform did: one prepared, synchronous insert a row. `concurrent` is what the
driver offers for the purpose.
"""

from __future__ import annotations

import csv
import itertools
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from mysimbdp.bench.shapes import TABLE
from mysimbdp.bench.writers.job import Job
from mysimbdp.bench.writers.timing import timed
from mysimbdp.connections import COREDMS, connection
from mysimbdp.settings import settings
from mysimbdp.tenants.cqltypes import CqlType
from mysimbdp.tenants.model import Table
from mysimbdp.tenants.store import load_tenant

REQUESTS_AT_ONCE = 128
REQUEST_SECONDS = 30.0

_READERS: dict[CqlType, Callable[[str], Any]] = {
    "bigint": int, "int": int, "double": float, "decimal": Decimal, "boolean": "true".__eq__,
    "date": date.fromisoformat, "timestamp": datetime.fromisoformat, "text": str,
}  # fmt: skip


def row(job: Job) -> list[str]:
    """One synchronous insert a row."""
    return _command("row", job)


def concurrent(job: Job) -> list[str]:
    """`execute_concurrent_with_args`, 128 requests at once."""
    return _command("concurrent", job)


def _command(kind: str, job: Job) -> list[str]:
    return [sys.executable, "-m", __name__, kind, str(job.file), job.tenant, str(job.rows)]


def main() -> None:
    """Insert the first ROWS rows of FILE against the clock, reading and converting included."""
    # ruff: noqa: PLC0415  # `writers` imports this module for its two commands only
    from cassandra.auth import PlainTextAuthProvider
    from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
    from cassandra.policies import RoundRobinPolicy

    kind, file, tenant_id, rows = sys.argv[1:]
    tenant, node = load_tenant(settings().tenants_dir, tenant_id), connection(COREDMS)
    profile = ExecutionProfile(RoundRobinPolicy(), request_timeout=REQUEST_SECONDS)
    cluster = Cluster(
        [node.host],
        port=node.port,
        auth_provider=PlainTextAuthProvider(node.login, node.password),
        protocol_version=5,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
    )
    table = tenant.tables[TABLE]
    try:
        session = cluster.connect()
        markers = ", ".join("?" * len(table.columns))
        names = ", ".join(table.columns)
        insert = session.prepare(f"INSERT INTO {tenant.keyspace}.{TABLE} ({names}) VALUES ({markers})")
        with timed():
            _insert(kind, session, insert, itertools.islice(_rows(Path(file), table), int(rows)))
    finally:
        cluster.shutdown()


def _insert(kind: str, session: Any, insert: Any, rows: Iterator[tuple[Any, ...]]) -> None:
    if kind == "row":
        for values in rows:
            session.execute(insert, values)
        return
    from cassandra.concurrent import execute_concurrent_with_args

    for _ in execute_concurrent_with_args(
        session, insert, rows, concurrency=REQUESTS_AT_ONCE, results_generator=True, raise_on_first_error=True
    ):
        pass


def _rows(file: Path, table: Table) -> Iterator[tuple[Any, ...]]:
    read = [_READERS[column.type] for column in table.columns.values()]
    with file.open(encoding="utf-8", newline="") as stream:
        lines = csv.reader(stream)
        next(lines)  # the header, whose order is the table's
        for cells in lines:
            yield tuple(convert(cell) for convert, cell in zip(read, cells, strict=True))


if __name__ == "__main__":
    main()
