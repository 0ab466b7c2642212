"""A value of any type, written in any input format, is read back by another driver as it was meant."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any, cast
from xml.sax.saxutils import escape

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from mysimbdp.coredms.schema import apply_tenant
from mysimbdp.formats.fieldnames import Field
from mysimbdp.formats.reading import read_records
from mysimbdp.quality.gate import Gate
from mysimbdp.tenants.cqltypes import SCALARS, CqlType
from mysimbdp.tenants.model import FileFormat, Tenant

from .conftest import tenant_with
from .loading import load
from .typed_values import json_of, natural, natural_type, stored, text_of, values

pytestmark = pytest.mark.onebox

EXACT = "int, bigint, tinyint, smallint, varint, float, double, boolean, text, blob, uuid, timeuuid, inet, date, time, "
TYPES = {
    "point": {"x": "double", "y": "double", "label": "text"},
    "address": {"street": "text", "zip": "int", "tags": "set<text>"},
    "person": {"name": "text", "homes": "list<frozen<address>>"},
}
COLUMNS: dict[str, str] = {
    **{cql: cql for cql in SCALARS},
    "list": "list<text>",
    "set": "set<int>",
    "map": "map<text, double>",
    "tuple": "tuple<int, text>",
    "vector": "vector<float, 3>",
    "user": "frozen<point>",
    "user_as_json": "frozen<address>",
    "sets_in_a_tuple": "tuple<set<int>, map<smallint, text>>",
    "points": "list<frozen<point>>",
    "frozen_set": "frozen<set<timestamp>>",
    "frozen_map": "frozen<map<date, frozen<list<blob>>>>",
    "collections": "map<text, frozen<list<frozen<map<int, uuid>>>>>",
    "map_by_list": "map<frozen<list<int>>, frozen<set<inet>>>",
    "users": "list<frozen<person>>",
    "vector_of_texts": "vector<text, 2>",
    "vector_of_vectors": "vector<vector<time, 2>, 2>",
    "vectors": "list<vector<double, 2>>",
    "every_scalar": f"tuple<{EXACT} timestamp, duration>",
    "every_scalar_as_json": f"tuple<ascii, decimal, {EXACT} timestamp, duration, vector<text, 2>, frozen<address>>",
    "set_of_ascii": "set<ascii>",
    "list_of_decimals": "list<decimal>",
    "map_by_timestamp": "frozen<map<timestamp, decimal>>",
    "map_by_list_as_json": "map<frozen<list<boolean>>, ascii>",
    "vector_of_decimals": "vector<decimal, 2>",
}  # fmt: skip


def _csv(rows: list[tuple[int, Any]], cql: CqlType, delimiter: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(["k", "v"])
    for key, value in rows:
        writer.writerow([key, _cell(value, cql)])
    return out.getvalue().encode()


def _cell(value: Any, cql: CqlType) -> str:
    if value is None:
        return ""
    return text_of(value, cql) if isinstance(cql, str) else json_of(value, cql)


def _json_lines(rows: list[tuple[int, Any]], cql: CqlType) -> list[str]:
    return [f'{{"k": {key}, "v": {json_of(value, cql)}}}' for key, value in rows]


def _xml(rows: list[tuple[int, Any]], cql: CqlType) -> bytes:
    records = (f"<row><k>{key}</k><v>{escape(_cell(value, cql))}</v></row>" for key, value in rows)
    return f"<rows>{''.join(records)}</rows>".encode()


def _batch(rows: list[tuple[int, Any]], cql: CqlType) -> pa.RecordBatch:
    keys = pa.array([key for key, _ in rows], pa.int64())
    return pa.RecordBatch.from_pydict({"k": keys, "v": pa.array([natural(v, cql) for _, v in rows], natural_type(cql))})


def _parquet(rows: list[tuple[int, Any]], cql: CqlType) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pa.Table.from_batches([_batch(rows, cql)]), out)
    return out.getvalue()


WRITERS: dict[FileFormat, Callable[[list[tuple[int, Any]], CqlType], bytes]] = {
    "csv": _csv,
    "txt": lambda rows, cql: _csv(rows, cql, "\t"),
    "json": lambda rows, cql: f"[{','.join(_json_lines(rows, cql))}]".encode(),
    "jsonl": lambda rows, cql: "\n".join(_json_lines(rows, cql)).encode(),
    "xml": _xml,
    "parquet": _parquet,
}


@pytest.fixture(scope="module")
def typed(reader: Any) -> Iterator[Tenant]:
    """A tenant with a table a type."""
    tables = {
        name: {"columns": {"k": "bigint", "v": cql}, "partition_key": ["k"], "lineage": False}
        for name, cql in COLUMNS.items()
    }
    tenant = tenant_with("t_from_files", tables, types=TYPES)
    apply_tenant(tenant)
    yield tenant
    reader.execute(f"DROP KEYSPACE {tenant.keyspace}")
    reader.execute("DELETE FROM mysimbdp.schemas WHERE tenant = %s", (tenant.tenant,))


def _admitted(tenant: Tenant, name: str, batches: Iterator[pa.RecordBatch]) -> list[pa.RecordBatch]:
    gate = Gate(tenant.tables[name], name, "file")
    admitted = [gate.admit(batch) for batch in batches]
    assert [row.as_dict() for one in admitted for row in one.rejected] == []
    return [one.rows for one in admitted]


@pytest.mark.parametrize("name", COLUMNS)
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(data=st.data())
def test_a_value_is_read_back_as_the_file_meant_it(name: str, typed: Tenant, reader: Any, data: st.DataObject) -> None:
    cql = typed.tables[name].columns["v"].type
    meant = data.draw(st.lists(st.none() | values(cql), min_size=1, max_size=8))
    batches: list[pa.RecordBatch] = []
    ways = [*WRITERS, "arrow"]
    reader.execute(f'TRUNCATE {typed.keyspace}."{name}"')
    for number, way in enumerate(ways):
        rows = [(number * 1000 + index, value) for index, value in enumerate(meant)]
        if way == "arrow":
            batches += _admitted(typed, name, iter([_batch(rows, cql)]))
            continue
        file_format = cast("FileFormat", way)
        file = io.BytesIO(WRITERS[file_format](rows, cql))
        fields = [Field("k", "k"), Field("v", "v")]
        batches += _admitted(typed, name, read_records(file_format, file, fields, pytest.fail, lambda _: None))
    load(typed, name, batches)
    found = {row.k: row.v for row in reader.execute(f'SELECT k, v FROM {typed.keyspace}."{name}"')}
    for number, way in enumerate(ways):
        for index, value in enumerate(meant):
            empty = value == "" and way in ("csv", "txt", "xml")
            expected = None if empty else stored(value, cql)
            assert stored(found[number * 1000 + index], cql) == expected, f"{way}: {json.dumps(repr(value))}"
