"""Values as Cassandra serialises them (native protocol version 5), one at a time.

Nested values travel like this from the gate to the loader: the one form that is exact for every type, and whose size
is known. Elements of sets and keys of maps are in the order of their bytes; Cassandra puts them into its own.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import struct
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from mysimbdp.tenants.cqltypes import CqlType, ScalarType

_EPOCH_ORDINAL = dt.date(1970, 1, 1).toordinal()
DAY_OFFSET = 2**31
"""Cassandra counts days without a sign, 1970-01-01 in the middle."""

_FIXED: dict[ScalarType, int] = {
    "bigint": 8, "boolean": 1, "double": 8, "float": 4, "int": 4, "timestamp": 8, "timeuuid": 16, "uuid": 16,
}  # fmt: skip
"""Bytes of an element in a vector, where they need not be said; Cassandra says them for the other fixed types too."""


def scalar_cell(value: Any, cql: ScalarType) -> bytes:
    """A value in the form of `quality.scalars.scalar`, serialised."""
    return _BY_TYPE[cql](value)


def list_cell(items: Sequence[bytes]) -> bytes:
    """A list or set of serialised elements."""
    return _count(len(items)) + b"".join(map(_sized, items))


def map_cell(items: Sequence[tuple[bytes, bytes]]) -> bytes:
    """A map of serialised keys and values."""
    return _count(len(items)) + b"".join(_sized(key) + _sized(value) for key, value in items)


def tuple_cell(items: Sequence[bytes | None]) -> bytes:
    """A tuple or user type of serialised fields."""
    return b"".join(_NULL if item is None else _sized(item) for item in items)


def vector_cell(items: Sequence[bytes], element: CqlType) -> bytes:
    """A vector of serialised elements of the type `element`."""
    if fixed_size(element):
        return b"".join(items)
    return b"".join(unsigned_vint(len(item)) + item for item in items)


def fixed_size(cql: CqlType) -> int | None:
    """Bytes of each element of type `cql` in a vector; None where each says its own."""
    if isinstance(cql, str):
        return _FIXED.get(cql)
    if cql.kind != "vector":
        return None
    size = fixed_size(cql.parts[0])
    return size * cql.dimension if size else None


def unsigned_vint(number: int) -> bytes:
    """As many leading ones as bytes follow the first, then the number."""
    size = max(1, (number.bit_length() + 6) // 7)
    if size > 8:
        return b"\xff" + number.to_bytes(8, "big")
    ones = 0xFF & ~(0xFF >> (size - 1))
    return (number | ones << 8 * (size - 1)).to_bytes(size, "big")


def decimal_bytes(text: str) -> bytes:
    """Four bytes of scale, then the unscaled number."""
    mantissa, _, exponent = text.upper().partition("E")
    whole, _, fraction = mantissa.partition(".")
    scale = len(fraction) - int(exponent or 0)
    return scale.to_bytes(4, "big", signed=True) + twos_complement(int(whole + fraction))


def twos_complement(number: int) -> bytes:
    """The fewest bytes that hold `number` and its sign."""
    magnitude = number if number >= 0 else ~number
    return number.to_bytes(magnitude.bit_length() // 8 + 1, "big", signed=True)


_NULL = struct.pack(">i", -1)


def _count(number: int) -> bytes:
    return number.to_bytes(4, "big")


def _sized(item: bytes) -> bytes:
    return len(item).to_bytes(4, "big") + item


def _whole(size: int) -> Callable[[Any], bytes]:
    return lambda value: value.to_bytes(size, "big", signed=True)


def _duration(value: tuple[int, int, int]) -> bytes:
    return b"".join(unsigned_vint(number << 1 if number >= 0 else (-number << 1) - 1) for number in value)


_BY_TYPE: dict[ScalarType, Callable[[Any], bytes]] = {
    "ascii": str.encode,
    "bigint": _whole(8),
    "blob": bytes,
    "boolean": lambda value: b"\x01" if value else b"\x00",
    "date": lambda value: (value.toordinal() - _EPOCH_ORDINAL + DAY_OFFSET).to_bytes(4, "big"),
    "decimal": decimal_bytes,
    "double": lambda value: struct.pack(">d", value),
    "duration": _duration,
    "float": lambda value: struct.pack(">f", value),
    "inet": lambda value: ipaddress.ip_address(value).packed,
    "int": _whole(4),
    "smallint": _whole(2),
    "text": str.encode,
    "time": _whole(8),
    "timestamp": _whole(8),
    "timeuuid": lambda value: UUID(value).bytes,
    "tinyint": _whole(1),
    "uuid": lambda value: UUID(value).bytes,
    "varint": lambda value: twos_complement(int(value)),
}
