"""Arrow columns to Python values that acsylla binds exactly, one column at a time.

acsylla 1.2 was probed type by type against a real node (tests/coredms/test_round_trip.py repeats it): it takes dates
and times as a number of seconds, truncates datetimes through floating point, cuts ascii at a NUL and corrupts decimals.
So dates go in as whole seconds, times as exact decimal seconds, varints as two's complement, and ascii and decimals
as their serialised bytes through `blobasascii(?)` and `blobasdecimal(?)`.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mysimbdp.tenants.model import CqlType

SECONDS_A_DAY = 86_400
_AS_BYTES: dict[CqlType, str] = {"ascii": "blobasascii(?)", "decimal": "blobasdecimal(?)"}


def placeholder(cql: CqlType) -> str:
    """The bind marker of a column in an INSERT."""
    return _AS_BYTES.get(cql, "?")


def needs_a_value(cql: CqlType) -> bool:
    """True when the marker cannot stay unset, so that a missing value needs a statement without the column."""
    return cql in _AS_BYTES


def bindable(column: pa.Array[Any], cql: CqlType) -> list[Any]:
    """The values of `column` (typed as coredms.types says) as acsylla takes them; None where it is null."""
    convert = _CONVERTERS.get(cql)
    return convert(column) if convert else column.to_pylist()


def row_widths(rows: pa.RecordBatch) -> list[int]:
    """Upper estimate of each row's size in a mutation, in bytes: values plus CELL_BYTES a cell."""
    fixed = ROW_BYTES
    widths: Any = pa.scalar(0, pa.int64())
    for column in rows.columns:
        fixed += CELL_BYTES
        if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
            variable: Any = column
            widths = pc.add(widths, pc.fill_null(pc.binary_length(variable), 0).cast(pa.int64()))
        else:
            fixed += FIXED_VALUE_BYTES
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
    return [None if text is None else _twos_complement(int(text)) for text in column.to_pylist()]


def _decimal(column: pa.Array[Any]) -> list[Any]:
    return [None if text is None else _decimal_bytes(text) for text in column.to_pylist()]


def _decimal_bytes(text: str) -> bytes:
    """A decimal as Cassandra stores it: four bytes of scale, then the unscaled number."""
    mantissa, _, exponent = text.upper().partition("E")
    whole, _, fraction = mantissa.partition(".")
    scale = len(fraction) - int(exponent or 0)
    return scale.to_bytes(4, "big", signed=True) + _twos_complement(int(whole + fraction))


def _twos_complement(number: int) -> bytes:
    magnitude = number if number >= 0 else ~number
    return number.to_bytes(magnitude.bit_length() // 8 + 1, "big", signed=True)


_CONVERTERS: dict[CqlType, Callable[[pa.Array[Any]], list[Any]]] = {
    "ascii": _ascii,
    "date": _date,
    "time": _time,
    "timestamp": _timestamp,
    "varint": _varint,
    "decimal": _decimal,
}
