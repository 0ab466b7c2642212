"""Arrow columns to Python values that acsylla binds exactly, one column at a time.

acsylla 1.2 was probed type by type against a real node (tests/coredms/test_round_trip.py repeats it): it takes dates
and times as a number of seconds, truncates datetimes through floating point, cuts ascii at a NUL and corrupts decimals,
all of them also within a collection. So dates go in as whole seconds, times as exact decimal seconds, varints and
vectors serialised, and ascii and decimals as their serialised bytes through `blobasascii(?)` and `blobasdecimal(?)`.
Collections, tuples and user types are taken apart and bound as such, but for two kinds that go as JSON through
`from_json(?)`, every scalar in it a string, which costs the server half as much again: those with ascii or decimals in
them, since no function takes their bytes, and those with a set or map within a tuple, user type or vector, which
Cassandra would otherwise leave in the order they came in, so that equal values would differ. docs/decisions/011.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mysimbdp.coredms.cells import decimal_bytes, twos_complement
from mysimbdp.coredms.unpacking import SECONDS_A_DAY, driver_value, json_text
from mysimbdp.tenants.cqltypes import CqlType, NestedType, ScalarType

_AS_BYTES: dict[ScalarType, str] = {"ascii": "blobasascii(?)", "decimal": "blobasdecimal(?)"}


def placeholder(cql: CqlType) -> str:
    """The bind marker of a column in an INSERT."""
    if isinstance(cql, str):
        return _AS_BYTES.get(cql, "?")
    return "from_json(?)" if _as_json(cql) else "?"


def needs_a_value(cql: CqlType) -> bool:
    """True when the marker cannot stay unset, so that a missing value needs a statement without the column."""
    return placeholder(cql) != "?"


def bindable(column: pa.Array[Any], cql: CqlType) -> list[Any]:
    """The values of `column` (typed as coredms.types says) as acsylla takes them; None where it is null."""
    if isinstance(cql, str):
        convert = _CONVERTERS.get(cql)
        return convert(column) if convert else column.to_pylist()
    take_apart = json_text if _as_json(cql) else driver_value
    return [None if raw is None else take_apart(raw, cql) for raw in column.to_pylist()]


def _as_json(cql: NestedType) -> bool:
    return _touchy(cql) or _unordered(cql, sealed=False)


def _touchy(cql: CqlType) -> bool:
    """Whether acsylla has to bind ascii or decimals; in a vector, which is bytes, it has not."""
    if isinstance(cql, str):
        return cql in _AS_BYTES
    return cql.kind != "vector" and any(map(_touchy, cql.inner()))


def _unordered(cql: CqlType, *, sealed: bool) -> bool:
    """Whether a set or map is within what Cassandra takes as it is (`sealed`)."""
    if isinstance(cql, str):
        return False
    if sealed and cql.kind in ("set", "map"):
        return True
    sealed = sealed or cql.kind in ("tuple", "user", "vector")
    return any(_unordered(part, sealed=sealed) for part in cql.inner())


def row_widths(rows: pa.RecordBatch, cellwise: Sequence[str] = ()) -> list[int]:
    """Upper estimate of each row's size in a mutation, in bytes: values plus CELL_BYTES a cell.

    `cellwise` names the columns whose elements are cells of their own: collections that are not frozen.
    """
    fixed = ROW_BYTES
    widths: Any = pa.scalar(0, pa.int64())
    for column in rows.columns:
        fixed += CELL_BYTES
        if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
            variable: Any = column
            widths = pc.add(widths, pc.fill_null(pc.binary_length(variable), 0).cast(pa.int64()))
        else:
            fixed += FIXED_VALUE_BYTES
    for name in cellwise:
        if name in rows.schema.names:
            counts = [int.from_bytes(raw[:4], "big") if raw else 0 for raw in rows.column(name).to_pylist()]
            widths = pc.add(widths, pa.array([count * CELL_BYTES for count in counts], pa.int64()))
    if isinstance(widths, pa.Scalar):
        return [fixed] * rows.num_rows
    total: list[int] = pc.add(widths, fixed).to_pylist()
    return total


ROW_BYTES = 40
"""Row and partition overhead that the server counts."""
CELL_BYTES = 20
"""Timestamp, time to live and deletion time of a cell."""
FIXED_VALUE_BYTES = 8


def _date(column: pa.Array[Any]) -> list[Any]:
    days = column.cast(pa.int32()).cast(pa.int64())
    values: list[Any] = pc.multiply(days, SECONDS_A_DAY).to_pylist()
    return values


def _time(column: pa.Array[Any]) -> list[Any]:
    return _seconds(column.cast(pa.int64()), digits=9)


def _timestamp(column: pa.Array[Any]) -> list[Any]:
    return _seconds(column.cast(pa.int64()), digits=3)


def _seconds(counts: pa.Array[Any], digits: int) -> list[Any]:
    """Counts of 10**-digits seconds as exact numbers of seconds; the driver multiplies them back."""
    values = counts.to_pylist()
    return [None if value is None else Decimal(value).scaleb(-digits) for value in values]


def _ascii(column: pa.Array[Any]) -> list[Any]:
    values: list[Any] = column.cast(pa.binary()).to_pylist()
    return values


def _varint(column: pa.Array[Any]) -> list[Any]:
    return [None if text is None else twos_complement(int(text)) for text in column.to_pylist()]


def _decimal(column: pa.Array[Any]) -> list[Any]:
    return [None if text is None else decimal_bytes(text) for text in column.to_pylist()]


_CONVERTERS: dict[ScalarType, Callable[[pa.Array[Any]], list[Any]]] = {
    "ascii": _ascii,
    "date": _date,
    "time": _time,
    "timestamp": _timestamp,
    "varint": _varint,
    "decimal": _decimal,
}
