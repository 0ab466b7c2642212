"""Keyspaces and tables from tenant files, against a real node."""

from __future__ import annotations

import asyncio
import threading
import uuid
from typing import Any

import pytest

from mysimbdp.coredms import schema
from mysimbdp.coredms.schema import apply_ledger, apply_tenant, ensure_tenant, fingerprint
from mysimbdp.coredms.session import coredms_session
from mysimbdp.errors import Code, TerminalError
from mysimbdp.ledger.schema import LEDGER_KEYSPACE, LEDGER_TABLES
from mysimbdp.tenants.model import Tenant

from .conftest import TenantMaker, tenant_with

pytestmark = pytest.mark.onebox

ONE = {"t": {"columns": {"k": "text", "order": "int"}, "partition_key": ["k"]}}
TWO = {"t": {"columns": {"k": "text", "order": "int", "added": "inet"}, "partition_key": ["k"]}}


def renamed(tenant: Tenant, tables: dict[str, Any]) -> Tenant:
    return tenant_with(tenant.tenant, tables)


def columns(reader: Any, tenant: Tenant) -> dict[str, str]:
    query = "SELECT column_name, type FROM system_schema.columns WHERE keyspace_name = %s AND table_name = 't'"
    return {row.column_name: row.type for row in reader.execute(query, (tenant.keyspace,))}


def ensure(tenant: Tenant) -> None:
    async def work() -> None:
        async with coredms_session() as session:
            await ensure_tenant(session, tenant)

    asyncio.run(work())


def test_the_ledger_is_there_and_applying_it_again_changes_nothing(reader: Any) -> None:
    assert apply_ledger(LEDGER_KEYSPACE, LEDGER_TABLES) == []


def test_a_dry_run_says_what_would_be_done_and_does_nothing(reader: Any) -> None:
    tenant = tenant_with("t_dry", ONE)
    changes = apply_tenant(tenant, dry_run=True)
    assert [change.action for change in changes] == ["create keyspace", "create table"]
    assert columns(reader, tenant) == {}


def test_applying_twice_changes_nothing_the_second_time(applied: TenantMaker, reader: Any) -> None:
    tenant = applied(ONE)
    assert columns(reader, tenant) == dict(tenant.tables["t"].cql_columns)
    assert apply_tenant(tenant) == []


def test_a_new_column_is_added_and_a_dropped_one_is_kept_and_reported(applied: TenantMaker, reader: Any) -> None:
    tenant = applied(ONE)
    assert [(c.action, c.column) for c in apply_tenant(renamed(tenant, TWO))] == [("add column", "added")]
    assert columns(reader, tenant)["added"] == "inet"
    assert [(c.action, c.column) for c in apply_tenant(tenant)] == [("keep column", "added")]


def test_an_incompatible_change_is_refused_and_nothing_of_the_tenant_changes(applied: TenantMaker, reader: Any) -> None:
    tenant = applied(ONE)
    before = columns(reader, tenant)
    changed = {
        "other": {"columns": {"x": "int"}},
        "t": {"columns": {"k": "text", "order": "bigint", "added": "inet"}, "partition_key": ["k"]},
    }
    with pytest.raises(TerminalError) as caught:
        apply_tenant(renamed(tenant, changed))
    assert caught.value.problem.code is Code.SCHEMA_INCOMPATIBLE
    assert columns(reader, tenant) == before
    assert apply_tenant(tenant) == []  # the lock was given back


def test_a_task_applies_what_is_missing_and_finds_it_done_the_next_time(
    applied: TenantMaker, reader: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = renamed(applied(ONE), TWO)
    ensure(tenant)
    assert columns(reader, tenant)["added"] == "inet"
    monkeypatch.setattr(schema, "apply_tenant", lambda _tenant: pytest.fail("nothing was to be applied"))
    ensure(tenant)


def test_many_tasks_at_once_apply_a_new_column_once(applied: TenantMaker, reader: Any) -> None:
    tenant = renamed(applied(ONE), TWO)
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.extend(c.action for c in apply_tenant(tenant))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == ["add column"]
    assert columns(reader, tenant)["added"] == "inet"
    row = reader.execute("SELECT fingerprint, applying FROM mysimbdp.schemas WHERE tenant = %s", (tenant.tenant,)).one()
    assert (row.fingerprint, row.applying) == (fingerprint(tenant), None)


@pytest.mark.parametrize(
    ("tables", "same"),
    [
        (ONE, True),
        ({"t": {"columns": {"k": {"type": "text", "from": "K"}, "order": "int"}, "partition_key": ["k"]}}, True),
        (TWO, False),
        ({"t": {"columns": {"k": "text", "order": "int"}, "partition_key": ["order"]}}, False),
        ({"t": {"columns": {"k": "text", "order": "int"}, "partition_key": ["k"], "lineage": False}}, False),
    ],
)
def test_the_fingerprint_changes_with_the_schema_and_with_nothing_else(tables: dict[str, Any], same: bool) -> None:
    assert (fingerprint(tenant_with("t_f", tables)) == fingerprint(tenant_with("t_f", ONE))) is same


def test_a_ledger_of_an_earlier_version_gets_the_columns_it_lacks(reader: Any) -> None:
    name = f"ledger_{uuid.uuid4().hex[:8]}"
    then = f"CREATE TABLE IF NOT EXISTS {name}.files (\n    tenant text,\n    id int,\n    PRIMARY KEY (tenant, id)\n)"
    since = then.replace("    PRIMARY", "    live timeuuid static,\n    seconds map<text, double>,\n    PRIMARY")
    apply_ledger(name, [then])
    changes = apply_ledger(name, [since])
    assert [(change.action, change.column, change.detail) for change in changes] == [
        ("add column", "live", "timeuuid static"),
        ("add column", "seconds", "map<text, double>"),
    ]
    assert apply_ledger(name, [since]) == []
    reader.execute(f"DROP KEYSPACE {name}")
