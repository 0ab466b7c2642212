from __future__ import annotations

import pytest

from mysimbdp.coredms.shape import Shape, compare
from mysimbdp.errors import Code
from mysimbdp.tenants.model import Table

TABLE = Table.model_validate(
    {"columns": {"day": "date", "place": "text", "order": "int"}, "partition_key": ["place"], "clustering_key": ["day"]}
)
KEYLESS = Table.model_validate({"columns": {"name": "text"}})


def existing(**changes: object) -> Shape:
    shape = Shape.declared(TABLE)
    facts = {"types": shape.types, "partition_key": shape.partition_key, "clustering_key": shape.clustering_key}
    return Shape(**{**facts, **changes})  # type: ignore[arg-type]  # scenarios replace parts by name


def test_a_missing_table_is_created_with_every_name_quoted() -> None:
    (change,) = compare("tenant_t", "visits", Shape.declared(TABLE), None).changes
    assert change.action == "create table"
    assert change.cql == (
        'CREATE TABLE IF NOT EXISTS "tenant_t"."visits" ("day" date, "place" text, "order" int, '
        '"_ingest" timeuuid, "_source" bigint, PRIMARY KEY (("place"), "day"))'
    )


def test_a_table_without_natural_key_is_keyed_by_file_and_record() -> None:
    (change,) = compare("tenant_t", "names", Shape.declared(KEYLESS), None).changes
    assert 'PRIMARY KEY (("_file", "_bucket"), "_record")' in change.cql
    assert '"_file" text, "_bucket" bigint, "_record" bigint' in change.cql


def test_a_table_as_declared_needs_nothing() -> None:
    verdict = compare("tenant_t", "visits", Shape.declared(TABLE), existing())
    assert (verdict.changes, verdict.problems) == ([], [])


def test_a_new_column_is_added_and_one_no_longer_named_is_kept_and_reported() -> None:
    types = {"day": "date", "place": "text", "gone": "blob", "_ingest": "timeuuid", "_source": "bigint"}
    changes = compare("tenant_t", "visits", Shape.declared(TABLE), existing(types=types)).changes
    assert [(change.action, change.column) for change in changes] == [("add column", "order"), ("keep column", "gone")]
    assert changes[0].cql == 'ALTER TABLE "tenant_t"."visits" ADD IF NOT EXISTS "order" int'
    assert changes[1].cql == ""


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"types": {**Shape.declared(TABLE).types, "order": "text"}}, ["visits", "order", "text", "int"]),
        ({"partition_key": ["day"], "clustering_key": []}, ["visits", "partition_key", "(day)", "(place)"]),
        ({"clustering_key": ["day", "order"]}, ["visits", "clustering_key", "(day, order)", "(day)"]),
    ],
    ids=["type", "partition key", "clustering key"],
)
def test_an_incompatible_change_names_table_column_old_and_new(changed: dict[str, object], words: list[str]) -> None:
    verdict = compare("tenant_t", "visits", Shape.declared(TABLE), existing(**changed))
    assert verdict.changes == []
    assert verdict.problems[0].code is Code.SCHEMA_INCOMPATIBLE
    for word in words:
        assert word in verdict.problems[0].what
