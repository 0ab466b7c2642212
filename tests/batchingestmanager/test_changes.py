"""What a replay would do otherwise than the ingest it repeats."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid1

import pytest

from mysimbdp.apps.registry import App
from mysimbdp.batchingestmanager.changes import changes
from mysimbdp.ledger.record import FileRecord
from mysimbdp.tenants.model import Table

OLD = FileRecord(
    "acme", "ab" * 32, uuid1(), table_name="events", app="clean", app_version="1", app_digest="d", name="a.csv"
)
SAME = App("clean", "1", "d", (), "arrow", None)
TABLE: dict[str, Any] = {"columns": {"id": "bigint", "word": "text"}, "partition_key": ["id"]}

APPS: dict[str, tuple[App, list[str]]] = {
    "the same": (SAME, []),
    "another": (replace(SAME, name="builtin"), ["the app was clean, now it is builtin"]),
    "another version": (
        replace(SAME, version="2", digest="e"), ["the app clean was version 1, now it is 2"],
    ),
    "other files": (replace(SAME, digest="e"), ["the app clean still says version 1, but its files are others"]),
}  # fmt: skip

TABLES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "the same": ({}, []),
    "a column more": ({"columns": {**TABLE["columns"], "more": "int"}}, ["had no column more"]),
    "a column less": ({"columns": {"id": "bigint"}}, ["had the column word"]),
    "another type": ({"columns": {"id": "bigint", "word": "ascii"}}, ["defined the column word otherwise"]),
    "another key": ({"clustering_key": ["word"]}, ["had another key"]),
    "no lineage": ({"lineage": False}, ["kept lineage"]),
}


@pytest.mark.parametrize("case", APPS)
def test_another_app_is_a_change(case: str) -> None:
    app, expected = APPS[case]
    table = Table.model_validate(TABLE)
    assert changes(OLD, app, table, table) == expected


@pytest.mark.parametrize("case", TABLES)
def test_another_definition_of_the_table_is_a_change(case: str) -> None:
    changed, expected = TABLES[case]
    now = Table.model_validate({**TABLE, **changed})
    assert changes(OLD, SAME, Table.model_validate(TABLE), now) == [f"the table events {what}" for what in expected]


def test_a_definition_that_is_not_known_is_a_change() -> None:
    (only,) = changes(OLD, SAME, None, Table.model_validate(TABLE))
    assert only == "how the table events was defined is not known any more"
