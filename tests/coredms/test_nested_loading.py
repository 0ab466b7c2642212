"""Nested columns are loaded with the same effect as scalar ones: once, never over a newer value, and taken back."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pyarrow as pa
import pytest

from mysimbdp.coredms.loader import Loader
from mysimbdp.coredms.session import coredms_session
from mysimbdp.quality.gate import Gate
from mysimbdp.tenants.model import Tenant

from .conftest import TenantMaker
from .loading import DIGEST, INGEST, load

pytestmark = pytest.mark.onebox

NESTED = {
    "l": "list<text>", "s": "set<text>", "m": "map<text, int>", "t": "tuple<int, text>", "v": "vector<float, 2>",
    "d": "list<decimal>", "a": "set<ascii>",
}  # fmt: skip
TABLE = {"t": {"columns": {"k": "int", **NESTED}, "partition_key": ["k"]}}
FULL = {"l": ["b", "a"], "s": ["x", "y"], "m": {"p": 1}, "t": [1, "z"], "v": [1, 2], "d": [1.50], "a": ["q"]}


def rows(tenant: Tenant, *records: dict[str, Any]) -> pa.RecordBatch:
    names = dict.fromkeys(name for record in records for name in record)
    texts = {name: [json.dumps(record.get(name)) for record in records] for name in names}
    columns = {name: pa.array([None if text == "null" else text for text in texts[name]], pa.utf8()) for name in names}
    admitted = Gate(tenant.tables["t"], "t", "file").admit(pa.RecordBatch.from_pydict(columns))
    assert admitted.rejected == []
    return admitted.rows


def found(reader: Any, tenant: Tenant, *names: str) -> list[Any]:
    shown = ", ".join(f"tojson({name}) AS {name}" for name in names)
    return [
        {name: json.loads(value) for name, value in row._asdict().items()}
        for row in reader.execute(f"SELECT {shown} FROM {tenant.keyspace}.t")
    ]


def test_loading_again_changes_nothing_not_even_a_list(applied: TenantMaker, reader: Any) -> None:
    tenant = applied(TABLE)
    for _ in range(3):
        load(tenant, "t", [rows(tenant, {"k": 1, **FULL})])
    assert found(reader, tenant, *NESTED) == [FULL]


def test_a_missing_value_leaves_the_earlier_one_and_an_empty_one_replaces_it(applied: TenantMaker, reader: Any) -> None:
    tenant = applied(TABLE)
    load(tenant, "t", [rows(tenant, {"k": 1, **FULL})], timestamp=1000)
    load(tenant, "t", [rows(tenant, {"k": 1, "l": ["c"], **dict.fromkeys("smtvda")})], timestamp=2000)
    assert found(reader, tenant, *NESTED) == [{**FULL, "l": ["c"]}]
    load(tenant, "t", [rows(tenant, {"k": 1, "l": [], "s": [], "m": {}, "d": [], "a": []})], timestamp=3000)
    emptied = {**FULL, "l": [], "s": None, "m": None, "d": [], "a": None}
    assert found(reader, tenant, *NESTED) == [emptied]
    load(tenant, "t", [rows(tenant, {"k": 1, **FULL})], timestamp=2500)
    assert found(reader, tenant, *NESTED) == [emptied], "an older ingest wins over a newer one"


SETS = {
    "s": "frozen<set<int>>", "l": "list<frozen<set<int>>>", "t": "tuple<set<int>>", "v": "vector<frozen<set<int>>, 1>",
    "m": "frozen<map<int, frozen<set<int>>>>",
}  # fmt: skip


def test_a_set_is_in_cassandras_order_wherever_it_stands(applied: TenantMaker, reader: Any) -> None:
    tenant = applied({"t": {"columns": {"k": "int", **SETS}, "partition_key": ["k"]}})
    given, ordered = [3, 1, -2], [-2, 1, 3]
    load(tenant, "t", [rows(tenant, {"k": 1, "s": given, "l": [given], "t": [given], "v": [given], "m": {"1": given}})])
    assert found(reader, tenant, *SETS) == [
        {"s": ordered, "l": [ordered], "t": [ordered], "v": [ordered], "m": {"1": ordered}}
    ]


KEYED = {
    "t": {
        "columns": {"k": "frozen<set<int>>", "c": "frozen<map<text, decimal>>", "w": "set<text>"},
        "partition_key": ["k"],
        "clustering_key": ["c"],
        "lineage": False,
    }
}


def test_rows_keyed_by_collections_are_loaded_and_taken_back(applied: TenantMaker, reader: Any) -> None:
    tenant = applied(KEYED)
    mine = rows(tenant, *({"k": [n % 3, 9], "c": {"x": n}, "w": ["a", "b"]} for n in range(20)), {"k": [], "c": {}})
    other = rows(tenant, {"k": [9, 0], "c": {"x": 0}, "w": ["newer"]})
    load(tenant, "t", [mine], timestamp=1000)
    load(tenant, "t", [other], timestamp=2000)
    assert len(found(reader, tenant, "k")) == 21

    async def unload() -> int:
        async with coredms_session() as session:
            loader = Loader(
                session, tenant.keyspace, "t", tenant.tables["t"],
                write_timestamp_us=1000, ingest_id=INGEST, file_digest=DIGEST,
            )  # fmt: skip
            return await loader.unload([mine])

    assert asyncio.run(unload()) == 20
    assert found(reader, tenant, "k", "c", "w") == [{"k": [0, 9], "c": {"x": 0}, "w": ["newer"]}]
