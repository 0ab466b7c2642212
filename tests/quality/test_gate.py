"""The gate: each row of an app ends typed or rejected, once; a bad one never blocks its neighbours."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mysimbdp.coredms.types import arrow_type
from mysimbdp.errors import Code
from mysimbdp.quality.conversion import convert
from mysimbdp.quality.gate import Gate
from mysimbdp.quality.refusals import Refused
from mysimbdp.quality.scalars import scalar
from mysimbdp.tenants.cqltypes import SCALARS, ScalarType
from mysimbdp.tenants.model import Table

UTC = dt.UTC
WRONG, RANGE = Code.VALUE_WRONG_TYPE, Code.VALUE_OUT_OF_RANGE
NOON = dt.datetime(2018, 1, 7, 12, tzinfo=UTC)

TEXTS: list[tuple[ScalarType, str, object]] = [
    ("int", "5", 5),
    ("int", "-2147483648", -(2**31)),
    ("int", "2147483648", RANGE),
    ("int", "5.0", 5),
    ("int", "5e3", 5000),
    ("int", " 5 ", 5),
    ("int", "+5", 5),
    ("int", "007", 7),
    ("int", "5.5", WRONG),
    ("int", "0x10", WRONG),
    ("int", "1_000", WRONG),
    ("int", "1,000", WRONG),
    ("int", "٣", WRONG),
    ("int", "", None),
    ("int", "1e999999999", RANGE),
    ("tinyint", "128", RANGE),
    ("tinyint", "-128", -128),
    ("tinyint", "0xff", WRONG),
    ("smallint", "40000", RANGE),
    ("bigint", "9223372036854775807", 2**63 - 1),
    ("bigint", "9223372036854775808", RANGE),
    ("varint", "-123456789012345678901234567890", "-123456789012345678901234567890"),
    ("varint", "-0", "0"),
    ("varint", "9" * 2000, RANGE),
    ("varint", "x", WRONG),
    ("decimal", "1.10", "1.10"),
    ("decimal", "-0.50", "-0.50"),
    ("decimal", "-0.0", "0.0"),
    ("decimal", "1E3", "1E+3"),
    ("decimal", "1e999999999", RANGE),
    ("decimal", "NaN", WRONG),
    ("double", "1e5", 1e5),
    ("double", ".5", 0.5),
    ("double", "1e999", RANGE),
    ("double", "-inf", -math.inf),
    ("double", "nan(5)", WRONG),
    ("double", "1d", WRONG),
    ("float", "0.5", 0.5),
    ("float", "1e39", RANGE),
    ("boolean", "TRUE", True),
    ("boolean", "no", False),
    ("boolean", "2", WRONG),
    ("date", "2018-01-31", dt.date(2018, 1, 31)),
    ("date", "2018/1/7", dt.date(2018, 1, 7)),
    ("date", "2018-02-29", RANGE),
    ("date", "2018-01-07T00:00:00", dt.date(2018, 1, 7)),
    ("date", "2018-01-07 12:00:00", WRONG),
    ("date", "01/02/2018", WRONG),
    ("date", "0001-01-01", dt.date(1, 1, 1)),
    ("date", "9999-12-31", dt.date(9999, 12, 31)),
    ("date", "10000-01-01", RANGE),
    ("date", "-0044-03-15", RANGE),
    ("date", "0000-01-01", RANGE),
    ("time", "12:30", dt.time(12, 30)),
    ("time", "23:59:59.5", dt.time(23, 59, 59, 500_000)),
    ("time", "24:00:00", RANGE),
    ("timestamp", "2018-01-07T12:00:00Z", NOON),
    ("timestamp", "2018-01-07 12:00:00", NOON),
    ("timestamp", "2018-01-07 14:00:00+02:00", NOON),
    ("timestamp", "2018-01-07T12:00:00.0009Z", NOON),
    ("timestamp", "1969-12-31T23:59:59.9999", dt.datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
    ("timestamp", "2018-01-07", dt.datetime(2018, 1, 7, tzinfo=UTC)),
    ("timestamp", "2018-02-30 12:00:00", WRONG),
    ("timestamp", "2018-01-07T12:00:00ZZ", WRONG),
    ("timestamp", "1515326400000", WRONG),
    ("timestamp", "2018-01-07T12:00:00.123456789Z", NOON.replace(microsecond=123_000)),
    ("timestamp", "2018-01-07T12:00:00+0000", NOON),
    ("timestamp", "9999-12-31T23:59:59.999Z", dt.datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
    ("timestamp", "10000-01-01T00:00:00Z", RANGE),
    ("timestamp", "+12018-01-07", RANGE),
    ("timestamp", "2018-01-07T12:00:00 Europe/Berlin", WRONG),
    ("timestamp", "2018-01-07T23:59:60Z", WRONG),
    ("duration", "1y2mo3w4d5h6m7s8ms9us10ns", (14, 25, 18_367_008_009_010)),
    ("duration", "-1mo2d", (-1, -2, 0)),
    ("duration", "P1Y2M3DT4H5M6.5S", (14, 3, 14_706_500_000_000)),
    ("duration", "P2W", (0, 14, 0)),
    ("duration", "0s", (0, 0, 0)),
    ("duration", "-2147483647mo", (-(2**31) + 1, 0, 0)),
    ("duration", "2147483648d", RANGE),
    ("duration", "9223372036854775808ns", RANGE),
    ("duration", "1d1mo", WRONG),
    ("duration", "P", WRONG),
    ("duration", "PT", WRONG),
    ("duration", "1.5h", WRONG),
    ("duration", "90", WRONG),
    ("duration", "9" * 300 + "s", WRONG),
    ("uuid", "6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
    ("uuid", "6ba7b810", WRONG),
    ("timeuuid", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
    ("timeuuid", "6ba7b810-9dad-41d1-80b4-00c04fd430c8", WRONG),
    ("inet", "::0001", "::1"),
    ("inet", "1.2.3", WRONG),
    ("inet", "::ffff:1.2.3.4", "1.2.3.4"),
    ("blob", "0xCAFE", b"\xca\xfe"),
    ("blob", "cafe", WRONG),
    ("ascii", "abc", "abc"),
    ("ascii", "é", WRONG),
    ("text", "", ""),
    ("text", " é ", " é "),
]


@pytest.mark.parametrize(("cql", "text", "expected"), TEXTS, ids=[f"{cql} {text[:24]!r}" for cql, text, _ in TEXTS])
@pytest.mark.parametrize("among", [0, 3], ids=["alone", "among others"])
def test_text_becomes_the_columns_type(cql: ScalarType, text: str, expected: object, among: int) -> None:
    filler = {"blob": "0x", "inet": "::1", "boolean": "t", "date": "2000-01-01", "time": "1:00", "duration": "1d"}.get(
        cql
    )
    others = [filler] * among
    done = convert(pa.array([text, *others, text], pa.utf8()), cql)
    assert done.values.type == arrow_type(cql)
    for index in (0, len(others) + 1):
        if isinstance(expected, Code):
            assert done.faults[index].code is expected
            assert done.faults[index].value == text
            assert not done.values[index].is_valid
        else:
            assert index not in done.faults
            assert done.values[index].as_py() == expected


NATIVE: list[tuple[ScalarType, pa.Array, list[object]]] = [
    ("int", pa.array([1, 2**40]), [1, RANGE]),
    ("bigint", pa.array([1, 2**64 - 1], pa.uint64()), [1, RANGE]),
    ("int", pa.array([1.0, 2.5]), [1, WRONG]),
    ("int", pa.array([True]), [WRONG]),
    ("double", pa.array([1, -2], pa.int8()), [1.0, -2.0]),
    ("double", pa.array([0.1, None]), [0.1, None]),
    ("decimal", pa.array(["1.50"]).cast(pa.decimal128(10, 2)), ["1.50"]),
    ("text", pa.array([1, 2]), ["1", "2"]),
    ("text", pa.array([True]), ["true"]),
    ("text", pa.array([[1, 2]]), ["[1, 2]"]),
    ("text", pa.array([{"k": "é"}]), ['{"k": "é"}']),
    ("text", pa.array([b"ok", b"\xff"]), ["ok", WRONG]),
    ("text", pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
    ("text", pa.array(["a"], pa.large_utf8()), ["a"]),
    ("text", pa.array([dt.date(2018, 1, 7)]), ["2018-01-07"]),
    ("date", pa.array([0, 86_400 * 10**9 + 1], pa.timestamp("ns")), [dt.date(1970, 1, 1), dt.date(1970, 1, 2)]),
    ("date", pa.array([NOON.replace(tzinfo=None)]), [WRONG]),
    ("timestamp", pa.array([NOON]), [NOON]),
    ("timestamp", pa.array([dt.date(2018, 1, 7)]), [dt.datetime(2018, 1, 7, tzinfo=UTC)]),
    (
        "timestamp",
        pa.array([-1, 1_999_999], pa.timestamp("ns")),
        [NOON.fromtimestamp(-0.001, UTC), NOON.fromtimestamp(0.001, UTC)],
    ),
    ("timestamp", pa.array([2**40], pa.timestamp("s")), [WRONG]),
    ("time", pa.array([1000], pa.time64("ns")), [dt.time(0, 0, 0, 1)]),
    ("time", pa.array([1500], pa.time32("ms")), [dt.time(0, 0, 1, 500_000)]),
    ("duration", pa.array([1, None], pa.duration("ns")), [(0, 0, 1), None]),
    ("duration", pa.array([1, 2**62], pa.duration("s")), [(0, 0, 10**9), RANGE]),
    ("duration", pa.array([(1, -1, 0), (1, 1, 1)], pa.month_day_nano_interval()), [RANGE, (1, 1, 1)]),
    ("date", pa.array([2**60], pa.timestamp("us")), [WRONG]),
    ("text", pa.array([2**60], pa.timestamp("us")), ["<value out of range: 1152921504606846976>"]),
    ("blob", pa.array([b"\xff"]), [b"\xff"]),
    ("boolean", pa.array([1, 0, 2]), [True, False, WRONG]),
    ("int", pa.nulls(2), [None, None]),
]


@pytest.mark.parametrize(
    ("cql", "column", "expected"), NATIVE, ids=[f"{column.type} to {cql}" for cql, column, _ in NATIVE]
)
def test_native_values_become_the_columns_type(cql: ScalarType, column: pa.Array, expected: list[object]) -> None:
    done = convert(column, cql)
    assert done.values.type == arrow_type(cql)
    found = [
        done.faults[index].code if index in done.faults else value.as_py() for index, value in enumerate(done.values)
    ]
    assert found == expected


numberish = st.from_regex(r"[+-]?[0-9xX._eE:/ TZ-]{1,24}", fullmatch=True)
dateish = st.from_regex(
    r"[0-9]{4}-[01][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]{1,7})?Z?)?", fullmatch=True
)
anything = st.text(max_size=12) | numberish | dateish


def _alone(text: str, cql: ScalarType) -> Any:
    try:
        return pa.array([scalar(text, cql)], arrow_type(cql))[0]
    except Refused as refused:
        return (refused.code, refused.reason)


@settings(max_examples=150, deadline=None)
@given(cql=st.sampled_from(SCALARS), texts=st.lists(anything, min_size=1, max_size=6))
def test_the_vector_way_and_the_single_way_agree(cql: ScalarType, texts: list[str]) -> None:
    done = convert(pa.array(texts, pa.utf8()), cql)
    for index, text in enumerate(texts):
        fault = done.faults.get(index)
        if text == "" and cql not in ("text", "ascii"):
            assert fault is None
            assert not done.values[index].is_valid
            continue
        expected = _alone(text, cql)
        if fault is not None:
            assert (fault.code, fault.reason) == expected, text
        else:
            assert done.values[index].equals(expected) or _both_nan(done.values[index].as_py(), expected.as_py()), text


def _both_nan(one: Any, other: Any) -> bool:
    return isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other)


TABLE = Table.model_validate(
    {
        "columns": {
            "app": "text",
            "content_rating": "text",
            "size": {"type": "int", "from": "Size (MB)"},
            "name": {"type": "text", "required": True},
        },
        "partition_key": ["app"],
    }
)


def _gate() -> Gate:
    return Gate(TABLE, "apps", "apps.csv")


def _batch(**columns: Any) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(columns)


def test_columns_are_found_by_from_then_name_in_any_spelling() -> None:
    batch = pa.RecordBatch.from_pydict({"APP": ["a"], "Content-Rating": ["Teen"], "size (mb)": ["3"], "name": ["n"]})
    assert _gate().admit(batch).rows.to_pylist() == [
        {"app": "a", "content_rating": "Teen", "size": 3, "name": "n", "_source": 1}
    ]


def test_an_absent_optional_column_stays_absent_and_unknown_ones_are_left_out() -> None:
    rows = _gate().admit(_batch(app=["a"], name=["n"], zzz=["?"])).rows
    assert rows.schema.names == ["app", "name", "_source"]


def test_bad_rows_are_rejected_with_column_value_and_reason_and_the_others_pass() -> None:
    batch = _batch(
        app=["a", "", None, "d", "e"],
        name=["n", "n", "n", None, "n"],
        Size_MB=["1", "2", "3", "4", "many"],
        _source=pa.array([11, 12, 13, 14, 15]),
        _line=pa.array([21, 22, 23, 24, 25]),
    ).rename_columns(["app", "name", "Size (MB)", "_source", "_line"])
    admitted = _gate().admit(batch)
    assert admitted.source_is_record
    assert admitted.rows.to_pylist() == [{"app": "a", "size": 1, "name": "n", "_source": 11}]
    assert [row.as_dict() for row in admitted.rejected] == [
        {"source": 12, "line": 22, "column": "app", "code": "VALUE_MISSING",
         "reason": "there is no value, and app is part of the key"},
        {"source": 13, "line": 23, "column": "app", "code": "VALUE_MISSING",
         "reason": "there is no value, and app is part of the key"},
        {"source": 14, "line": 24, "column": "name", "code": "VALUE_MISSING",
         "reason": "there is no value, and name is required"},
        {"source": 15, "line": 25, "column": "size", "value": "many", "code": "VALUE_WRONG_TYPE",
         "reason": "it is not a whole number (int)"},
    ]  # fmt: skip


def test_without_source_rows_are_numbered_by_the_apps_output() -> None:
    gate = _gate()
    gate.admit(_batch(app=["a", "b"], name=["n", "n"]))
    admitted = gate.admit(_batch(app=["c", ""], name=["n", "n"]))
    assert not admitted.source_is_record
    assert admitted.rows.column("_source").to_pylist() == [3]
    assert admitted.rejected[0].source is None


def test_a_required_column_that_is_absent_rejects_every_row() -> None:
    admitted = _gate().admit(_batch(app=["a", "b"]))
    assert admitted.rows.num_rows == 0
    assert [(row.column, row.code) for row in admitted.rejected] == [("name", Code.VALUE_MISSING)] * 2


def test_values_too_long_for_a_key_and_rows_too_long_for_coredms_are_rejected() -> None:
    batch = _batch(app=["a" * 65_535, "b" * 65_536, "c"], name=["n", "n", "x" * (9 * 2**20)])
    admitted = _gate().admit(batch)
    assert admitted.rows.num_rows == 1
    assert [(row.column, row.code) for row in admitted.rejected] == [("app", RANGE), (None, Code.ROW_TOO_LARGE)]


def test_long_values_are_shortened_in_reports() -> None:
    batch = pa.RecordBatch.from_pydict({"app": ["a"], "name": ["n"], "Size (MB)": ["x" * 1000]})
    value = _gate().admit(batch).rejected[0].value
    assert value is not None
    assert len(value) == 200


def test_an_empty_batch_is_fine() -> None:
    admitted = _gate().admit(_batch(app=pa.array([], pa.utf8()), name=pa.array([], pa.utf8())))
    assert (admitted.rows.num_rows, admitted.rejected) == (0, [])
