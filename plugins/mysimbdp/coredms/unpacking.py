"""Serialised nested values taken apart again: into what acsylla binds, and into the JSON that `from_json` reads."""

from __future__ import annotations

import ipaddress
import json
import struct
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

from mysimbdp.coredms.cells import DAY_OFFSET, fixed_size
from mysimbdp.tenants.cqltypes import CqlType, NestedType, ScalarType

SECONDS_A_DAY = 86_400


def driver_value(raw: bytes, cql: CqlType) -> Any:
    """As acsylla takes it, see binding.py; a vector stays serialised. There is no such form of ascii and decimal."""
    if isinstance(cql, str):
        return _DRIVER[cql](raw)
    if cql.kind == "vector":
        return raw
    if cql.kind == "map":
        key_type, value_type = cql.parts
        return [(driver_value(key, key_type), driver_value(value, value_type)) for key, value in _pairs(raw)]
    if cql.kind in ("list", "set"):
        return [driver_value(item, cql.parts[0]) for item in _items(raw)]
    return tuple(None if item is None else driver_value(item, part) for _, part, item in _fields(raw, cql))


def json_text(raw: bytes, cql: CqlType) -> str:
    """As `from_json` reads it without loss: every scalar is a string, whatever its type."""
    return json.dumps(_json(raw, cql), ensure_ascii=False)


def _json(raw: bytes, cql: CqlType) -> Any:
    if isinstance(cql, str):
        return _JSON[cql](raw)
    if cql.kind == "map":
        key_type, value_type = cql.parts
        return {_json_key(key, key_type): _json(value, value_type) for key, value in _pairs(raw)}
    if cql.kind in ("list", "set", "vector"):
        items = _elements(raw, cql) if cql.kind == "vector" else _items(raw)
        return [_json(item, cql.parts[0]) for item in items]
    fields = [(name, None if item is None else _json(item, part)) for name, part, item in _fields(raw, cql)]
    return dict(fields) if cql.kind == "user" else [value for _, value in fields]


def _json_key(raw: bytes, cql: CqlType) -> str:
    return str(_json(raw, cql)) if isinstance(cql, str) else json_text(raw, cql)


def _items(raw: bytes) -> Iterator[bytes]:
    """The elements of a list or set, the keys and values of a map."""
    return (item for item in _sized(raw, 4) if item is not None)


def _pairs(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    items = _items(raw)
    return zip(items, items, strict=True)


def _fields(raw: bytes, cql: NestedType) -> Iterator[tuple[str, CqlType, bytes | None]]:
    """Name (none in a tuple), type and serialised value of each field."""
    parts = cql.fields or [("", part) for part in cql.parts]
    for (name, part), item in zip(parts, _sized(raw, 0), strict=True):
        yield name, part, item


def _sized(raw: bytes, at: int) -> Iterator[bytes | None]:
    while at < len(raw):
        size = int.from_bytes(raw[at : at + 4], "big", signed=True)
        at += 4
        yield raw[at : at + size] if size >= 0 else None
        at += max(size, 0)


def _elements(raw: bytes, cql: NestedType) -> Iterator[bytes]:
    at = 0
    fixed = fixed_size(cql.parts[0])
    while at < len(raw):
        size, at = (fixed, at) if fixed else _unsigned_vint(raw, at)
        yield raw[at : at + size]
        at += size


def _unsigned_vint(raw: bytes, at: int) -> tuple[int, int]:
    """The number at `at`, and where it ends."""
    more = 8 - (raw[at] ^ 0xFF).bit_length()
    number = raw[at] & (0xFF >> more)
    return number << 8 * more | int.from_bytes(raw[at + 1 : at + 1 + more], "big"), at + 1 + more


def _duration(raw: bytes) -> tuple[int, int, int]:
    numbers, at = [], 0
    for _ in range(3):
        zigzag, at = _unsigned_vint(raw, at)
        numbers.append((zigzag >> 1) ^ -(zigzag & 1))
    months, days, nanoseconds = numbers
    return months, days, nanoseconds


def duration_text(parts: tuple[int, int, int]) -> str:
    """Months, days and nanoseconds as CQL writes them."""
    months, days, nanoseconds = parts
    sign = "-" if min(months, days, nanoseconds) < 0 else ""
    return f"{sign}{abs(months)}mo{abs(days)}d{abs(nanoseconds)}ns"


def _time_text(raw: bytes) -> str:
    seconds, nanoseconds = divmod(_whole(raw), 10**9)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{nanoseconds:09}"


def _decimal_text(raw: bytes) -> str:
    return f"{_whole(raw[4:])}E{-_whole(raw[:4])}"


def _whole(raw: bytes) -> int:
    return int.from_bytes(raw, "big", signed=True)


def _whole_text(raw: bytes) -> str:
    return str(_whole(raw))


def _float(raw: bytes) -> float:
    number: float = struct.unpack(">f" if len(raw) == 4 else ">d", raw)[0]
    return number


def _float_text(raw: bytes) -> str:
    return repr(_float(raw)).replace("inf", "Infinity").replace("nan", "NaN")


def _inet(raw: bytes) -> str:
    return str(ipaddress.ip_address(raw))


def _uuid(raw: bytes) -> str:
    return str(UUID(bytes=raw))


_DRIVER: dict[ScalarType, Callable[[bytes], Any]] = {
    "bigint": _whole,
    "blob": bytes,
    "boolean": lambda raw: raw != b"\x00",
    "date": lambda raw: (int.from_bytes(raw, "big") - DAY_OFFSET) * SECONDS_A_DAY,
    "double": _float,
    "duration": _duration,
    "float": _float,
    "inet": _inet,
    "int": _whole,
    "smallint": _whole,
    "text": bytes.decode,
    "time": lambda raw: Decimal(_whole(raw)).scaleb(-9),
    "timestamp": lambda raw: Decimal(_whole(raw)).scaleb(-3),
    "timeuuid": _uuid,
    "tinyint": _whole,
    "uuid": _uuid,
    "varint": bytes,
}

_JSON: dict[ScalarType, Callable[[bytes], str]] = {
    "ascii": bytes.decode,
    "bigint": _whole_text,
    "blob": lambda raw: "0x" + raw.hex(),
    "boolean": lambda raw: "false" if raw == b"\x00" else "true",
    "date": lambda raw: str(int.from_bytes(raw, "big")),
    "decimal": _decimal_text,
    "double": _float_text,
    "duration": lambda raw: duration_text(_duration(raw)),
    "float": _float_text,
    "inet": _inet,
    "int": _whole_text,
    "smallint": _whole_text,
    "text": bytes.decode,
    "time": _time_text,
    "timestamp": _whole_text,
    "timeuuid": _uuid,
    "tinyint": _whole_text,
    "uuid": _uuid,
    "varint": _whole_text,
}
