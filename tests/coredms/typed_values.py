"""For each CQL type: values to try, and how each looks in every input format and in a second driver."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import math
import struct
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa
from hypothesis import strategies as st

from mysimbdp.coredms.types import arrow_type
from mysimbdp.tenants.cqltypes import CqlType, NestedType, ScalarType

EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001  # cassandra-driver gives naive times
FIRST_MS, LAST_MS = -62_135_596_800_000, 253_402_300_799_999
_SEEN = st.characters(exclude_categories=["Cs", "Cc", "Cn", "Zs", "Zl", "Zp", "Co"])
_NUMBERS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}

_same_sign = st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1), st.integers(0, 2**63 - 1))

SCALAR_VALUES: dict[ScalarType, st.SearchStrategy[Any]] = {
    "ascii": st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=9),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "blob": st.binary(max_size=9),
    "boolean": st.booleans(),
    "date": st.dates(),
    "decimal": st.decimals(allow_nan=False, allow_infinity=False).filter(lambda number: abs(number.adjusted()) < 500),
    "double": st.floats(),
    "duration": _same_sign | _same_sign.map(lambda parts: (-parts[0], -parts[1], -parts[2])),
    "float": st.floats(width=32),
    "inet": (st.ip_addresses(v=4) | st.ip_addresses(v=6).filter(lambda ip: ip.ipv4_mapped is None)).map(str),
    "int": st.integers(-(2**31), 2**31 - 1),
    "smallint": st.integers(-(2**15), 2**15 - 1),
    "text": st.text(_SEEN, max_size=9),
    "time": st.integers(0, 86_400 * 10**9 - 1),
    "timestamp": st.integers(FIRST_MS, LAST_MS),
    "timeuuid": st.uuids(version=1).map(str),
    "tinyint": st.integers(-128, 127),
    "uuid": st.uuids().map(str),
    "varint": st.integers(-(2**200), 2**200),
}
"""Dates as dates, times in nanoseconds, timestamps in milliseconds, all else as one would expect."""

_WITHIN_JSON: dict[ScalarType, st.SearchStrategy[Any]] = {
    "text": st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
    "ascii": st.text(st.characters(max_codepoint=127), max_size=9),
}
"""JSON can escape what a plain cell cannot hold."""


def values(cql: CqlType, *, within: bool = False) -> st.SearchStrategy[Any]:
    """Values of `cql`: lists for lists and sets, pairs for maps, tuples for tuples and user types."""
    if isinstance(cql, str):
        return _WITHIN_JSON.get(cql, SCALAR_VALUES[cql]) if within else SCALAR_VALUES[cql]
    parts = [values(part, within=True) for part in cql.inner()]
    if cql.kind == "vector":
        return st.lists(parts[0], min_size=cql.dimension, max_size=cql.dimension)
    if cql.kind in ("tuple", "user"):
        return st.tuples(*(st.none() | part for part in parts))
    if cql.kind == "map":
        return st.lists(st.tuples(*parts), max_size=3, unique_by=lambda pair: repr(plain(pair[0], cql.parts[0])))
    unique = (lambda item: repr(plain(item, cql.parts[0]))) if cql.kind == "set" else None
    return st.lists(parts[0], max_size=3, unique_by=unique)


def text_of(value: Any, cql: ScalarType) -> str:
    """A scalar as a cell of a csv file."""
    return _TEXTS.get(cql, str)(value)


def _time_text(value: int) -> str:
    seconds, nanoseconds = divmod(value, 10**9)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.{nanoseconds:09}"


def _duration_text(value: tuple[int, int, int]) -> str:
    months, days, nanoseconds = map(abs, value)
    return f"{'-' if min(value) < 0 else ''}{months}mo{days}d{nanoseconds}ns"


_TEXTS: dict[ScalarType, Callable[[Any], str]] = {
    "blob": lambda value: "0x" + value.hex(),
    "boolean": lambda value: "true" if value else "false",
    "double": repr,
    "duration": _duration_text,
    "float": repr,
    "time": _time_text,
    "timestamp": lambda value: f"{(EPOCH + dt.timedelta(milliseconds=value)).isoformat(timespec='milliseconds')}Z",
}


def json_of(value: Any, cql: CqlType) -> str:
    """A value as JSON: numbers as numbers with all their digits, what JSON has no form for as text."""
    if value is None:
        return "null"
    if isinstance(cql, str):
        number = cql in (*_NUMBERS, "varint", "decimal", "float", "double") and math.isfinite(value)
        return text_of(value, cql) if number or cql == "boolean" else json.dumps(text_of(value, cql))
    if cql.kind == "map":
        key, item = cql.parts
        if isinstance(key, str):
            pairs = (f"{json.dumps(text_of(k, key))}: {json_of(v, item)}" for k, v in value)
            return "{" + ", ".join(pairs) + "}"
        return "[" + ", ".join(f"[{json_of(k, key)}, {json_of(v, item)}]" for k, v in value) + "]"
    if cql.kind == "user":
        fields = zip(cql.fields, value, strict=True)
        return "{" + ", ".join(f'"{name}": {json_of(item, part)}' for (name, part), item in fields) + "}"
    parts = list(cql.inner()) * (len(value) if cql.kind != "tuple" else 1)
    return "[" + ", ".join(json_of(item, part) for item, part in zip(value, parts, strict=True)) + "]"


def natural_type(cql: CqlType) -> pa.DataType:
    """The type a column of a Parquet file or of an app's Arrow output would have."""
    if isinstance(cql, str):
        return {"varint": pa.utf8(), "duration": pa.utf8()}.get(cql, arrow_type(cql))
    parts = [natural_type(part) for part in cql.inner()]
    if cql.kind == "vector":
        return pa.list_(parts[0], cql.dimension)
    if cql.kind == "map":
        return pa.map_(parts[0], parts[1])
    if cql.kind == "tuple":
        return pa.struct([(f"f{index}", part) for index, part in enumerate(parts)])
    if cql.kind == "user":
        return pa.struct([(name, part) for (name, _), part in zip(cql.fields, parts, strict=True)])
    return pa.list_(parts[0])


def natural(value: Any, cql: CqlType) -> Any:
    """The Python value of which pa.array makes `natural_type`."""
    if value is None:
        return None
    if isinstance(cql, str):
        return text_of(value, cql) if cql in ("varint", "duration", "decimal") else value
    if cql.kind == "map":
        return [(natural(key, cql.parts[0]), natural(item, cql.parts[1])) for key, item in value]
    if cql.kind in ("tuple", "user"):
        names = [name for name, _ in cql.fields] or [f"f{index}" for index in range(len(value))]
        return {n: natural(item, part) for n, item, part in zip(names, value, cql.inner(), strict=True)}
    return [natural(item, cql.parts[0]) for item in value]


def plain(value: Any, cql: CqlType) -> Any:
    """A value in a form that is equal exactly where Cassandra's are; also of what cassandra-driver reads."""
    if value is None:
        return None
    if isinstance(cql, str):
        return _PLAIN.get(cql, lambda same: same)(value)
    if cql.kind == "map":
        pairs = value.items() if hasattr(value, "items") else value
        return {_hashable(plain(key, cql.parts[0])): plain(item, cql.parts[1]) for key, item in pairs}
    if cql.kind == "set":
        return {_hashable(plain(item, cql.parts[0])) for item in value}
    if cql.kind in ("tuple", "user"):
        return tuple(plain(item, part) for item, part in zip(value, cql.inner(), strict=True))
    return [plain(item, cql.parts[0]) for item in value]


def stored(value: Any, cql: CqlType) -> Any:
    """What is read back for `value`: an empty set or map that is not frozen is no value."""
    if isinstance(cql, NestedType) and not cql.frozen and not value:
        return None
    return plain(value, cql)


def _hashable(value: Any) -> Any:
    return repr(value)


def _milliseconds(value: Any) -> int:
    return value if isinstance(value, int) else round((value - EPOCH) / dt.timedelta(milliseconds=1))


def _decimal(value: Any) -> tuple[int, Any]:
    """Unscaled number and exponent: 1.10 is not 1.1; there is no -0."""
    sign, digits, exponent = Decimal(value).as_tuple()
    number = int("".join(map(str, digits)))
    return -number if sign else number, exponent


_PLAIN: dict[ScalarType, Callable[[Any], Any]] = {
    "date": lambda value: getattr(value, "days_from_epoch", None) or _days(value),
    "decimal": _decimal,
    "double": lambda value: struct.pack(">d", value) if value == value else "NaN",  # noqa: PLR0124  # that is NaN
    "duration": lambda value: value if isinstance(value, tuple) else (value.months, value.days, value.nanoseconds),
    "float": lambda value: struct.pack(">f", value) if value == value else "NaN",  # noqa: PLR0124  # that is NaN
    "inet": lambda value: ipaddress.ip_address(value).packed,
    "time": lambda value: getattr(value, "nanosecond_time", value),
    "timestamp": _milliseconds,
    "timeuuid": lambda value: UUID(str(value)),
    "uuid": lambda value: UUID(str(value)),
}


def _days(value: Any) -> int:
    return 0 if not isinstance(value, dt.date) else (value - EPOCH.date()).days
