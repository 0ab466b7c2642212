"""Arrow columns as Cassandra serialises their values, whole columns at a time: no Python object per cell.

Only inet, durations, and numbers of more than 18 digits or with an exponent, are converted one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mysimbdp.coredms.cells import DAY_OFFSET, decimal_bytes, scalar_cell, twos_complement
from mysimbdp.tenants.cqltypes import CqlType, ScalarType

Array = np.ndarray[Any, np.dtype[Any]]

INT64_DIGITS = 18
"""Numbers of so many digits are sure to fit 64 bits."""
_UUID_TEXT = 36
_LONGER_FROM = np.array([1 << (8 * size - 1) for size in range(1, 8)], np.uint64)
"""From which magnitude a two's complement needs 2, 3, … 8 bytes."""
_NIBBLES = np.zeros(256, np.uint8)
_NIBBLES[list(b"0123456789abcdef")] = range(16)


@dataclass(frozen=True, slots=True)
class Cells:
    """The values of a column one after the other: `width` bytes each or, where it is -1, between `offsets` (int32, one
    more than there are rows). What lies where the column has no value means nothing."""

    width: int
    data: bytes | memoryview | Array
    offsets: Array | None = None


def is_taken_as_it_is(cql: CqlType) -> bool:
    """Whether what comes from the gate is what Cassandra stores: not sets and maps, which it puts into an order of its
    own and stores an element a cell, and not user types, which are known to the node alone."""
    return isinstance(cql, str) or (cql.kind in ("list", "tuple", "vector") and all(map(is_taken_as_it_is, cql.parts)))


def cells(column: pa.Array[Any], cql: CqlType) -> Cells:
    """Serialise `column`, typed as coredms.types says and of a type that is taken as it is."""
    return _SERIALISERS[cql](column) if isinstance(cql, str) else _bytes(column)


def _fixed(dtype: str) -> Callable[[pa.Array[Any]], Cells]:
    def serialise(column: pa.Array[Any]) -> Cells:
        kind = np.dtype(dtype)
        return Cells(kind.itemsize, _values(column, dtype).astype(kind.newbyteorder(">")).view(np.uint8))

    return serialise


def _values(column: pa.Array[Any], dtype: str) -> Array:
    """The column's values where they lie."""
    count = column.offset + len(column)
    return np.frombuffer(column.buffers()[1], np.dtype(dtype), count)[column.offset :]


def _boolean(column: pa.Array[Any]) -> Cells:
    return Cells(1, _values(column.cast(pa.uint8()), "u1"))


def _date(column: pa.Array[Any]) -> Cells:
    # days around 2**31, so that bytes sort as dates do
    return Cells(4, (_values(column, "i4").astype("i8") + DAY_OFFSET).astype(">u4").view(np.uint8))


def _bytes(column: pa.Array[Any]) -> Cells:
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int32, column.offset + len(column) + 1)[column.offset :]
    if data is None:
        return Cells(-1, b"", ends)
    return Cells(-1, memoryview(data)[ends[0] : ends[-1]], ends - ends[0])


def _uuid(column: pa.Array[Any]) -> Cells:
    if column.null_count:
        column = pc.fill_null(column, "0" * _UUID_TEXT)
    text = np.frombuffer(_bytes(column).data, np.uint8).reshape(len(column), _UUID_TEXT)
    digits = _NIBBLES[np.delete(text, (8, 13, 18, 23), axis=1)]
    return Cells(16, digits[:, ::2] << 4 | digits[:, 1::2])


def _inet(column: pa.Array[Any]) -> Cells:
    return _one_by_one(column, lambda text: scalar_cell(text, "inet"))


def _duration(column: pa.Array[Any]) -> Cells:
    return _one_by_one(column, lambda parts: scalar_cell(parts, "duration"))


def _varint(column: pa.Array[Any]) -> Cells:
    numbers = _as_int64(column)
    if numbers is None:
        return _one_by_one(column, lambda text: twos_complement(int(text)))
    return _minimal(numbers)


def _decimal(column: pa.Array[Any]) -> Cells:
    point = pc.find_substring(column, ".")
    numbers = _as_int64(pc.replace_substring(column, ".", ""))
    if numbers is None:
        return _one_by_one(column, decimal_bytes)
    behind = pc.subtract(pc.subtract(pc.binary_length(column), point), 1)
    scale = pc.fill_null(pc.if_else(pc.less(point, 0), pa.scalar(0, pa.int32()), behind), 0)
    return _minimal(numbers, scale.to_numpy(zero_copy_only=False).astype(">i4").view(np.uint8).reshape(-1, 4))


def _as_int64(column: pa.Array[Any]) -> Array | None:
    """Texts of whole numbers as int64 (0 for none), or None if some are longer or have an exponent."""
    column = pc.fill_null(column, "0")
    if pc.max(pc.binary_length(column)).as_py() > INT64_DIGITS or pc.any(pc.match_substring(column, "E")).as_py():
        return None
    numbers: Array = column.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return numbers


def _minimal(numbers: Array, prefix: Array | None = None) -> Cells:
    """Two's complements in as few bytes as hold them, each behind its row of `prefix`."""
    sizes = 1 + np.searchsorted(_LONGER_FROM, np.where(numbers < 0, ~numbers, numbers).astype(np.uint64), side="right")
    table = numbers.astype(">i8").view(np.uint8).reshape(-1, 8)
    kept = np.arange(8) >= 8 - sizes[:, None]
    if prefix is not None:
        table = np.hstack((prefix, table))
        kept = np.hstack((np.ones(prefix.shape, np.bool_), kept))
        sizes = sizes + prefix.shape[1]
    return Cells(-1, table[kept], _offsets(sizes))


def _one_by_one(column: pa.Array[Any], convert: Callable[[Any], bytes]) -> Cells:
    values = [b"" if value is None else convert(value) for value in column.to_pylist()]
    return Cells(-1, b"".join(values), _offsets(map(len, values)))


def _offsets(sizes: Iterable[int] | Array) -> Array:
    counted = sizes if isinstance(sizes, np.ndarray) else np.fromiter(sizes, np.int64)
    return np.concatenate(([0], np.cumsum(counted))).astype(np.int32)


_SERIALISERS: dict[ScalarType, Callable[[pa.Array[Any]], Cells]] = {
    "ascii": _bytes,
    "bigint": _fixed("i8"),
    "blob": _bytes,
    "boolean": _boolean,
    "date": _date,
    "decimal": _decimal,
    "double": _fixed("f8"),
    "duration": _duration,
    "float": _fixed("f4"),
    "inet": _inet,
    "int": _fixed("i4"),
    "smallint": _fixed("i2"),
    "text": _bytes,
    "time": _fixed("i8"),
    "timestamp": _fixed("i8"),
    "timeuuid": _uuid,
    "tinyint": _fixed("i1"),
    "uuid": _uuid,
    "varint": _varint,
}
