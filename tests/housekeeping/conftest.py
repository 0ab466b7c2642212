"""Cassandra alone, and an Airflow that knows nothing; everything there is of a customer, to be compared."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from tests.scenarios.conftest import reader
from tests.scenarios.customers import Customer

from mysimbdp.airflow_api import AirflowApi
from mysimbdp.connections import Connection
from mysimbdp.housekeeping.holdings import folders_of
from mysimbdp.ledger.ledger import Ledger, open_ledger
from mysimbdp.ledger.schema import LEDGER_KEYSPACE
from mysimbdp.settings import settings

__all__ = ["reader"]

Result = TypeVar("Result")
KEYED = {"events": {"columns": {"id": "bigint", "word": "text"}, "partition_key": ["id"]}}


def without_dags(request: httpx.Request) -> httpx.Response:
    """An Airflow that lets everybody in and has nothing."""
    if request.url.path == "/auth/token":
        return httpx.Response(201, json={"access_token": "token"})
    return httpx.Response(404)


def with_empty_airflow(work: Callable[[Ledger, AirflowApi], Awaitable[Result]]) -> Result:
    """Do something with an open ledger and `without_dags`."""

    async def do() -> Result:
        conn = Connection(host="127.0.0.1", port=1, login="admin", password="secret")
        async with open_ledger() as ledger, AirflowApi(conn, transport=httpx.MockTransport(without_dags)) as api:
            return await work(ledger, api)

    return asyncio.run(do())


def everything_of(reader: Any, tenant: str) -> dict[str, list[Any]]:
    """Every row of every table of the ledger and of the tenant's keyspace, and every file: what is not there is []."""
    of_keyspace = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = %s"
    found: dict[str, list[Any]] = {}
    with_tenant = "SELECT table_name, column_name FROM system_schema.columns WHERE keyspace_name = %s"
    columns = reader.execute(with_tenant, (LEDGER_KEYSPACE,))
    for table in sorted(row.table_name for row in columns if row.column_name == "tenant"):
        query = f"SELECT * FROM {LEDGER_KEYSPACE}.{table} WHERE tenant = %s ALLOW FILTERING"
        found[f"ledger {table}"] = sorted(map(str, reader.execute(query, (tenant,))))
    for (table,) in reader.execute(of_keyspace, (f"tenant_{tenant}",)):
        found[f"rows {table}"] = sorted(map(str, reader.execute(f"SELECT * FROM tenant_{tenant}.{table}")))
    for kind, folder in folders_of(settings(), tenant).items():
        found[f"files {kind}"] = [(str(path), path.lstat().st_size) for path in sorted(_tree(folder))]
    return found


def _tree(folder: Path) -> list[Path]:
    return [folder, *folder.rglob("*")] if folder.exists() else []


@pytest.fixture
def customer(reader: Any) -> Customer:
    """A customer of the test's own, with a natural key."""
    return Customer.make(reader, tables=KEYED)
