from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from mysimbdp.coredms.binding import bindable, needs_a_value, placeholder, row_widths
from mysimbdp.coredms.types import arrow_type
from mysimbdp.quality.conversion import convert
from mysimbdp.tenants.cqltypes import CqlType
from mysimbdp.tenants.typegrammar import parse_type

DAY = 86_400


@pytest.mark.parametrize(
    ("cql", "given", "bound"),
    [
        pytest.param("date", -1, -DAY, id="a date before 1970 is whole seconds, exactly a day below zero"),
        pytest.param("date", 17_538, 17_538 * DAY, id="a date is its days in seconds"),
        pytest.param("varint", "0", b"\x00", id="varint zero has one byte"),
        pytest.param("varint", "127", b"\x7f", id="varint 127 fits one byte"),
        pytest.param("varint", "128", b"\x00\x80", id="varint 128 needs a byte for its sign"),
        pytest.param("varint", "-128", b"\x80", id="varint -128 fits one byte"),
        pytest.param("varint", "-129", b"\xff\x7f", id="varint -129 needs two"),
        pytest.param("decimal", "-1.50", b"\0\0\0\x02\xff\x6a", id="a decimal keeps its trailing zero"),
        pytest.param("decimal", "1E+5", b"\xff\xff\xff\xfb\x01", id="a decimal keeps a negative scale"),
        pytest.param("decimal", ".5", b"\0\0\0\x01\x05", id="a decimal may begin with the point"),
        pytest.param("ascii", "a\0b", b"a\0b", id="ascii is bytes, so that a NUL does not end it"),
        pytest.param("duration", (1, 2, 3), (1, 2, 3), id="a duration is its three numbers"),
        pytest.param("decimal", None, None, id="a missing decimal stays missing"),
        pytest.param("timestamp", None, None, id="a missing timestamp stays missing"),
    ],
)
def test_a_value_is_bound_as_the_driver_needs_it(cql: CqlType, given: Any, bound: Any) -> None:
    assert bindable(pa.array([given], arrow_type(cql)), cql) == [bound]


@pytest.mark.parametrize(("cql", "units_a_second"), [("time", 10**9), ("timestamp", 10**3)])
@pytest.mark.parametrize("units", [0, 1, 999, 1001, 1023, 86_399_999])
def test_a_time_times_the_drivers_factor_is_the_exact_number_of_units(
    cql: CqlType, units_a_second: int, units: int
) -> None:
    column: Any = pa.array([units], pa.int64())
    (bound,) = bindable(column.cast(arrow_type(cql)), cql)
    assert bound * units_a_second == units


def test_only_what_passes_through_a_function_cannot_stay_unset() -> None:
    assert needs_a_value("decimal")
    assert needs_a_value("ascii")
    assert not needs_a_value("text")
    assert placeholder("decimal") == "blobasdecimal(?)"
    assert placeholder("text") == "?"


NESTED = [
    ("list<int>", [1, 2], [1, 2]),
    ("set<date>", ["1970-01-02"], [DAY]),
    ("map<text, varint>", {"a": 128}, [("a", b"\x00\x80")]),
    ("tuple<int, time>", [None, "0:00:01"], (None, 1)),
    ("vector<float, 2>", [1, 2], b"\x3f\x80\0\0\x40\0\0\0"),
    ("list<vector<boolean, 2>>", [[True, False]], [b"\1\0"]),
    ("vector<decimal, 1>", ["1"], b"\x05\0\0\0\0\1"),
    ("list<decimal>", ["-1.50"], '["-150E-2"]'),
    ("tuple<set<int>, int>", [[2, 1], 3], '[["1", "2"], "3"]'),
    ("vector<map<int, int>, 1>", [{"1": 2}], '[{"1": "2"}]'),
    ("list<tuple<int, list<set<int>>>>", [[1, [[2]]]], '[["1", [["2"]]]]'),
    ("list<frozen<set<int>>>", [[2, 1]], [[1, 2]]),
    ("map<frozen<list<date>>, ascii>", [[["1970-01-02"], "x"]], '{"[\\"2147483649\\"]": "x"}'),
    ("tuple<ascii, double, duration>", ["a", "-inf", "-1mo"], '["a", "-Infinity", "-1mo0d0ns"]'),
]


@pytest.mark.parametrize(("text", "given", "bound"), NESTED, ids=[text for text, _, _ in NESTED])
def test_a_nested_value_is_taken_apart_or_becomes_json_where_acsylla_cannot_bind_it(
    text: str, given: Any, bound: Any
) -> None:
    cql = parse_type(text)
    column = convert(pa.array([json.dumps(given), None]), cql).values
    assert column.type == arrow_type(cql) == pa.binary()
    assert bindable(column, cql) == [bound, None]
    assert placeholder(cql) == ("from_json(?)" if isinstance(bound, str) else "?")
    assert needs_a_value(cql) == isinstance(bound, str)


def test_a_rows_width_grows_with_its_values_and_its_cells() -> None:
    rows = pa.RecordBatch.from_pydict({"a": pa.array(["x", "x" * 1000, None]), "b": pa.array([1, 2, 3], pa.int64())})
    short, long, missing = row_widths(rows)
    assert long - short == 999
    assert short - missing == 1
    assert missing > 2 * 20


def test_each_element_of_a_collection_that_is_not_frozen_counts_as_a_cell() -> None:
    rows = pa.RecordBatch.from_pydict(
        {"s": convert(pa.array(["[1, 2, 3]", "[]", None]), parse_type("set<int>")).values}
    )
    frozen, cellwise = row_widths(rows), row_widths(rows, ["s", "absent"])
    assert [more - less for more, less in zip(cellwise, frozen, strict=True)] == [3 * 20, 0, 0]
