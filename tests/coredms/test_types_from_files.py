"""A value of any type, written in any input format, is read back by another driver as it was meant."""

from __future__ import annotations

import csv
import io
import itertools
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


Rows = list[tuple[int, Any]]


def _csv(rows: Rows, name: str, cql: CqlType, delimiter: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerows([["k", name], *((key, _cell(value, cql)) for key, value in rows)])
    return out.getvalue().encode()


def _cell(value: Any, cql: CqlType) -> str:
    if value is None:
        return ""
    return text_of(value, cql) if isinstance(cql, str) else json_of(value, cql)


def _json_lines(rows: Rows, name: str, cql: CqlType) -> list[str]:
    return [f'{{"k": {key}, "{name}": {json_of(value, cql)}}}' for key, value in rows]


def _xml(rows: Rows, name: str, cql: CqlType) -> bytes:
    records = (f"<row><k>{key}</k><{name}>{escape(_cell(value, cql))}</{name}></row>" for key, value in rows)
    return f"<rows>{''.join(records)}</rows>".encode()


def _batch(rows: Rows, name: str, cql: CqlType) -> pa.RecordBatch:
    keys = pa.array([key for key, _ in rows], pa.int64())
    column = pa.array([natural(value, cql) for _, value in rows], natural_type(cql))
    return pa.RecordBatch.from_pydict({"k": keys, name: column})


def _parquet(rows: Rows, name: str, cql: CqlType) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pa.Table.from_batches([_batch(rows, name, cql)]), out)
    return out.getvalue()


WRITERS: dict[FileFormat, Callable[[Rows, str, CqlType], bytes]] = {
    "csv": _csv,
    "txt": lambda rows, name, cql: _csv(rows, name, cql, "\t"),
    "json": lambda rows, name, cql: f"[{','.join(_json_lines(rows, name, cql))}]".encode(),
    "jsonl": lambda rows, name, cql: "\n".join(_json_lines(rows, name, cql)).encode(),
    "xml": _xml,
    "parquet": _parquet,
}
WAYS = [*WRITERS, "arrow"]
SPAN = 1000
"""Keys of one example in one format."""

_examples = itertools.count()


@pytest.fixture(scope="module")
def typed(reader: Any) -> Iterator[Tenant]:
    """A tenant whose one table has a column of each type."""
    table = {"columns": {"k": "bigint", **COLUMNS}, "partition_key": ["k"], "lineage": False}
    tenant = tenant_with("t_from_files", {"t": table}, types=TYPES)
    apply_tenant(tenant)
    yield tenant
    reader.execute(f"DROP KEYSPACE {tenant.keyspace}")
    reader.execute("DELETE FROM mysimbdp.schemas WHERE tenant = %s", (tenant.tenant,))


def _batches(way: str, rows: Rows, name: str, cql: CqlType) -> Iterator[pa.RecordBatch]:
    if way == "arrow":
        return iter([_batch(rows, name, cql)])
    file_format = cast("FileFormat", way)
    file = io.BytesIO(WRITERS[file_format](rows, name, cql))
    fields = [Field("k", "k"), Field(name, name)]
    return read_records(file_format, file, fields, lambda row: pytest.fail(f"{way}: {row}"), lambda _: None)


@pytest.mark.parametrize("name", COLUMNS)
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(data=st.data())
def test_a_value_is_read_back_as_the_file_meant_it(name: str, typed: Tenant, reader: Any, data: st.DataObject) -> None:
    cql = typed.tables["t"].columns[name].type
    meant = data.draw(st.lists(st.none() | values(cql), min_size=1, max_size=8))
    first = {way: next(_examples) * SPAN for way in WAYS}
    admitted: list[pa.RecordBatch] = []
    for way in WAYS:
        gate = Gate(typed.tables["t"], "t", way)
        for batch in _batches(way, list(enumerate(meant, first[way])), name, cql):
            one = gate.admit(batch)
            assert one.rejected == [], way
            admitted.append(one.rows)
    load(typed, "t", admitted)
    for way in WAYS:
        keys = ", ".join(str(first[way] + index) for index in range(len(meant)))
        query = f'SELECT k, "{name}" AS v FROM {typed.keyspace}.t WHERE k IN ({keys})'
        found = {row.k - first[way]: stored(row.v, cql) for row in reader.execute(query)}
        for index, value in enumerate(meant):
            empty = value == "" and way in ("csv", "txt", "xml")
            assert found[index] == (None if empty else stored(value, cql)), f"{way}: {value!r}"
