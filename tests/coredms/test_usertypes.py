"""What may change about a user type: fields are added at its end, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from mysimbdp.coredms.schema import apply_tenant, fingerprint
from mysimbdp.coredms.shape import understood
from mysimbdp.coredms.usertypes import compare_type
from mysimbdp.errors import Code, TerminalError
from mysimbdp.tenants.cqltypes import CqlType
from mysimbdp.tenants.model import Tenant
from mysimbdp.tenants.typegrammar import parse_type

from .conftest import TenantMaker, tenant_with


def fields(**types: str) -> dict[str, CqlType]:
    return {name: parse_type(text, covered=True) for name, text in types.items()}


ADDRESS = fields(street="text", tags="list<text>")


def test_a_missing_type_is_created_with_every_name_quoted() -> None:
    (change,) = compare_type("tenant_t", "address", fields(order="text", home="frozen<table>"), None).changes
    assert (change.action, change.table) == ("create type", "address")
    assert change.cql == 'CREATE TYPE IF NOT EXISTS "tenant_t"."address" ("order" text, "home" frozen<"table">)'


def test_cassandras_own_spelling_of_a_field_makes_no_difference() -> None:
    existing = {"street": "text", "tags": "frozen<list<text>>"}
    verdict = compare_type("ks", "address", ADDRESS, {n: understood(t, covered=True) for n, t in existing.items()})
    assert (verdict.changes, verdict.problems) == ([], [])


def test_new_fields_at_the_end_are_added_and_missing_ones_kept() -> None:
    longer = {**ADDRESS, **fields(zip="int")}
    (added,) = compare_type("ks", "address", longer, ADDRESS).changes
    assert (added.action, added.cql) == ("add field", 'ALTER TYPE "ks"."address" ADD IF NOT EXISTS "zip" int')
    (kept,) = compare_type("ks", "address", ADDRESS, longer).changes
    assert (kept.action, kept.column, kept.cql) == ("keep field", "zip", "")


def test_a_type_within_a_partition_key_cannot_get_fields() -> None:
    longer = {**ADDRESS, **fields(zip="int")}
    assert "partition key" in compare_type("ks", "address", longer, ADDRESS, in_partition_key=True).problems[0].what


@pytest.mark.parametrize(
    "declared",
    [fields(street="text", tags="set<text>"), fields(tags="list<text>", street="text"), fields(zip="int")],
    ids=["another type", "another order", "a field in front"],
)
def test_any_other_change_is_refused(declared: dict[str, CqlType]) -> None:
    verdict = compare_type("ks", "address", declared, ADDRESS)
    assert verdict.changes == []
    assert verdict.problems[0].code is Code.SCHEMA_INCOMPATIBLE
    assert "fields can only be added, after all others" in verdict.problems[0].what


TYPES = {
    "person": {"homes": "list<frozen<address>>"},
    "address": {"street": "text"},
    "place": {"at": "frozen<point>"},
    "point": {"x": "int"},
}
TABLES = {
    "t": {
        "columns": {
            "k": "frozen<place>",
            "v": "map<text, frozen<person>>",
            "l": "list<tuple<int, list<int>>>",
        },
        "partition_key": ["k"],
    }
}


def renamed(tenant: Tenant, types: dict[str, Any], tables: dict[str, Any] = TABLES) -> Tenant:
    return tenant_with(tenant.tenant, tables, types=types)


@pytest.mark.onebox
def test_types_come_before_tables_and_what_is_applied_is_recognised(applied: TenantMaker, reader: Any) -> None:
    tenant = renamed(applied({"other": {"columns": {"k": "int"}}}), TYPES)
    made = apply_tenant(tenant)
    assert [(change.action, change.table) for change in made] == [
        ("create type", "address"), ("create type", "person"), ("create type", "point"), ("create type", "place"),
        ("create table", "t"),
    ]  # fmt: skip
    assert apply_tenant(tenant) == []
    longer = renamed(tenant, {**TYPES, "address": {"street": "text", "zip": "int"}})
    assert [(c.action, c.column) for c in apply_tenant(longer)] == [("add field", "zip")]
    assert [(c.action, c.column) for c in apply_tenant(tenant)] == [("keep field", "zip")]
    assert fingerprint(longer) != fingerprint(tenant)
    for impossible in ({"address": {"road": "text"}}, {"point": {"x": "int", "y": "int"}}):
        with pytest.raises(TerminalError) as caught:
            apply_tenant(renamed(tenant, {**TYPES, "fresh": {"a": "int"}, **impossible}))
        assert caught.value.problem.code is Code.SCHEMA_INCOMPATIBLE
    assert [c.action for c in apply_tenant(tenant)] == ["keep field"], "a refused change had no effect"


@pytest.mark.onebox
def test_a_list_that_is_not_frozen_in_a_table_made_by_others_is_refused(applied: TenantMaker, reader: Any) -> None:
    tenant = applied({"other": {"columns": {"k": "int"}}})
    reader.execute(f"CREATE TABLE {tenant.keyspace}.t (k int PRIMARY KEY, v list<int>)")
    with pytest.raises(TerminalError) as caught:
        apply_tenant(renamed(tenant, {}, {"t": {"columns": {"k": "int", "v": "list<int>"}, "partition_key": ["k"]}}))
    assert "its type is list<int>, the tenant file says frozen<list<int>>" in caught.value.problem.what
