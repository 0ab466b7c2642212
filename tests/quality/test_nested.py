"""Nested values: what is taken, what is refused and where, and that their bytes are what a driver reads."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from tests.coredms.conftest import tenant_with
from tests.coredms.driver_types import read

from mysimbdp.errors import Code
from mysimbdp.quality.conversion import convert
from mysimbdp.quality.gate import Gate
from mysimbdp.tenants.cqltypes import NestedType
from mysimbdp.tenants.model import Tenant

WRONG, RANGE, MISSING = Code.VALUE_WRONG_TYPE, Code.VALUE_OUT_OF_RANGE, Code.VALUE_MISSING
TYPES = {"address": {"street": "text", "zip": "int", "tags": "list<text>"}}
ADDRESS = "frozen<address>"


def _naive(*parts: int) -> dt.datetime:
    """In UTC, without saying so: as cassandra-driver gives them."""
    return dt.datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001  # see above


def typed(cql: str) -> NestedType:
    tenant = tenant_with("tt", {"t": {"columns": {"k": "int", "v": cql}, "partition_key": ["k"]}}, types=TYPES)
    found = tenant.tables["t"].columns["v"].type
    assert isinstance(found, NestedType)
    return found


TAKEN: list[tuple[str, str, object]] = [
    ("list<text>", '["a", "", " é "]', ["a", "", " é "]),
    ("list<text>", "  []  ", []),
    ("list<text>", "[1.10, true]", ["1.10", "true"]),
    ("list<int>", '[1, "2", 3.0]', [1, 2, 3]),
    ("list<decimal>", "[1.10, 12345678901234567890.1]", [Decimal("1.10"), Decimal("12345678901234567890.1")]),
    ("list<bigint>", "[9007199254740993]", [9007199254740993]),
    ("list<double>", '["NaN", "-inf", 1e5]', ["nan", float("-inf"), 1e5]),
    ("set<int>", "[2, 1, 2]", [1, 2]),
    ("map<text, int>", '{"a": 1, "": 2}', [("", 2), ("a", 1)]),
    ("map<text, int>", '[["a", 1], ["a", 2]]', [("a", 2)]),
    ("map<int, boolean>", '{"1": true, "2": "no"}', [(1, True), (2, False)]),
    ("map<frozen<list<int>>, text>", '[[[1, 2], "x"]]', [([1, 2], "x")]),
    ("tuple<int, text>", '[1, "a"]', (1, "a")),
    ("tuple<int, text>", "[null, null]", (None, None)),
    ("vector<float, 3>", "[0.5, 1, -2]", [0.5, 1.0, -2.0]),
    ("vector<double, 4>", '[1e-400, 16777217, "1", NaN]', [0.0, 16777217.0, 1.0, "nan"]),
    ("vector<float, 2>", "[16777217, -Infinity]", [16777216.0, float("-inf")]),
    (ADDRESS, '{"zip": 1, "tags": ["x"]}', (None, 1, ["x"])),
    (ADDRESS, "{}", (None, None, None)),
    ("list<timestamp>", '["2018-01-07T14:00:00+02:00"]', [_naive(2018, 1, 7, 12)]),
    ("list<blob>", '["0xCAFE"]', [b"\xca\xfe"]),
    ("list<inet>", '["::ffff:1.2.3.4"]', ["1.2.3.4"]),
    ("list<text>", "", None),
    ("list<text>", "null", None),
]  # fmt: skip


@pytest.mark.parametrize(("cql", "text", "meant"), TAKEN, ids=[f"{cql} {text[:30]}" for cql, text, _ in TAKEN])
def test_json_text_becomes_the_bytes_that_a_driver_reads(cql: str, text: str, meant: object) -> None:
    done = convert(pa.array([text, text], pa.utf8()), typed(cql))
    assert done.faults == {}
    raw = done.values[1].as_py()
    assert (None if raw is None else read(raw, typed(cql))) == meant


REFUSED: list[tuple[str, str, Code, str]] = [
    ("list<text>", "a,b", WRONG, "it is not JSON"),
    ("list<text>", '{"a": 1}', WRONG, "an array like"),
    ("list<text>", '"a"', WRONG, "an array like"),
    ("list<text>", '["a"', WRONG, "it is not JSON"),
    ("list<text>", '["a"] x', WRONG, "it is not JSON"),
    ("list<text>", '["a", null]', WRONG, "at [1]: a list holds no null"),
    ("list<text>", '[["a"]]', WRONG, "at [0]: a single value is needed (text)"),
    ("list<text>", r'["\ud800"]', WRONG, "at [0]: it is not valid Unicode"),
    ("list<int>", '[1, ""]', WRONG, "at [1]: it is not a whole number (int)"),
    ("list<int>", "[1, 2147483648]", RANGE, "at [1]: int holds"),
    ("list<float>", "[1e39]", RANGE, "at [0]: it is larger"),
    ("list<ascii>", '["é"]', WRONG, "at [0]: it is not plain ASCII"),
    ("list<date>", '["10000-01-01"]', RANGE, "at [0]: years from 0001 to 9999"),
    ("list<text>", "[" * 100_000, WRONG, "nested too deeply"),
    ("set<int>", "[null]", WRONG, "a set holds no null"),
    ("map<text, int>", '["a"]', WRONG, '{"key": 1}'),
    ("map<text, int>", '{"a": "x"}', WRONG, 'at ["a"]: it is not a whole number'),
    ("map<int, int>", '{"a": 1}', WRONG, 'at ["a"]: it is not a whole number'),
    ("map<text, int>", '{"a": null}', WRONG, 'at ["a"]: a map holds no null'),
    ("tuple<int, text>", "[1]", WRONG, "2 elements are needed, not 1"),
    ("tuple<int, text>", '{"a": 1, "b": 2}', WRONG, "an array like"),
    ("vector<float, 2>", "[0, 1e39]", RANGE, "at [1]: it is larger"),
    ("vector<double, 2>", "[0, 1e400]", RANGE, "at [1]: it is larger"),
    ("vector<float, 2>", "[0, true]", WRONG, "at [1]: it is not a number"),
    ("vector<float, 3>", "[1, 2]", WRONG, "3 elements are needed, not 2"),
    ("vector<float, 3>", "[1, 2, null]", WRONG, "at [2]: a vector holds no null"),
    (ADDRESS, '{"zipp": 1}', WRONG, 'address has no field "zipp"; it has street, zip, tags'),
    (ADDRESS, "[1]", WRONG, '{"field": 1} is needed'),
    (ADDRESS, '{"tags": [1, [2]]}', WRONG, "at tags[1]: a single value"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("cql", "text", "code", "words"), REFUSED, ids=[f"{cql} {text[:30]}" for cql, text, *_ in REFUSED]
)
def test_a_value_that_does_not_fit_is_refused_with_its_place(cql: str, text: str, code: Code, words: str) -> None:
    fault = convert(pa.array(["[]", text], pa.utf8()), typed(cql)).faults[1]
    assert (fault.code, fault.value) == (code, text)
    assert words in fault.reason


NATIVE: list[tuple[str, pa.Array, object]] = [
    ("list<text>", pa.array([["a", "b"]]), ["a", "b"]),
    ("list<text>", pa.array([["a"]], pa.list_(pa.dictionary(pa.int32(), pa.utf8()))), ["a"]),
    ("list<int>", pa.array([[1, None]]), WRONG),
    ("list<int>", pa.array([5]), WRONG),
    ("set<int>", pa.array([[2, 1, 2]], pa.large_list(pa.int64())), [1, 2]),
    ("map<text, int>", pa.array([[("a", 1)]], pa.map_(pa.utf8(), pa.int32())), [("a", 1)]),
    ("map<text, int>", pa.array([{"a": 1}]), [("a", 1)]),
    ("tuple<int, text>", pa.array([{"f": 1, "g": "x"}]), (1, "x")),
    ("tuple<int, int>", pa.array([[1, 2]]), (1, 2)),
    ("vector<float, 2>", pa.array([[1, 2]], pa.list_(pa.float32(), 2)), [1.0, 2.0]),
    (ADDRESS, pa.array([{"zip": 1, "street": None}]), (None, 1, None)),
    ("list<time>", pa.array([[1]], pa.list_(pa.time64("ns"))), [1]),
    ("list<timestamp>", pa.array([[1_999_999]], pa.list_(pa.timestamp("ns"))), [_naive(1970, 1, 1, 0, 0, 0, 1000)]),
    ("list<timestamp>", pa.array([[2**60]], pa.list_(pa.timestamp("us"))), WRONG),
    ("list<duration>", pa.array([[1000]], pa.list_(pa.duration("ns"))), [(0, 0, 1000)]),
    ("list<duration>", pa.array([[2**62]], pa.list_(pa.duration("s"))), WRONG),
    ("list<text>", pa.nulls(1), None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("cql", "column", "meant"), NATIVE, ids=[f"{column.type} to {cql}" for cql, column, _ in NATIVE]
)
def test_native_values_become_the_same_bytes(cql: str, column: pa.Array, meant: object) -> None:
    done = convert(column, typed(cql))
    found = done.faults[0].code if done.faults else done.values[0].as_py()
    assert (read(found, typed(cql)) if isinstance(found, bytes) else found) == meant


def test_a_rejected_row_names_column_value_and_the_place_within() -> None:
    tenant: Tenant = tenant_with("tt", {"t": {"columns": {"k": "int", "v": "list<int>"}, "partition_key": ["k"]}})
    batch = pa.RecordBatch.from_pydict({"k": ["1", "2"], "v": ["[1]", '[1, "x"]'], "_line": pa.array([2, 3])})
    admitted = Gate(tenant.tables["t"], "t", "t.csv").admit(batch)
    assert admitted.rows.num_rows == 1
    (rejected,) = admitted.rejected
    assert rejected.as_dict() == {
        "line": 3,
        "column": "v",
        "value": '[1, "x"]',
        "code": "VALUE_WRONG_TYPE",
        "reason": "at [1]: it is not a whole number (int)",
    }


def test_an_empty_frozen_list_is_a_value_even_in_a_key() -> None:
    table: Any = {"columns": {"v": "frozen<list<int>>"}, "partition_key": ["v"]}
    admitted = Gate(tenant_with("tt", {"t": table}).tables["t"], "t", "t.csv").admit(
        pa.RecordBatch.from_pydict({"v": ["[]", ""]})
    )
    assert admitted.rows.column("v").to_pylist() == [b"\0\0\0\0"]
    assert [row.code for row in admitted.rejected] == [MISSING]
