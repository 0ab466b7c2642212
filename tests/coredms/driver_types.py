"""Serialised values read by cassandra-driver, which knows nothing of how they were made."""

from __future__ import annotations

from typing import Any

from cassandra import cqltypes

from mysimbdp.tenants.cqltypes import CqlType


def driver_type(cql: CqlType) -> Any:
    """cassandra-driver's class for `cql`."""
    if isinstance(cql, str):
        return cqltypes.lookup_casstype({"int": "Int32Type", "bigint": "LongType", "text": "UTF8Type",
            "varint": "IntegerType", "smallint": "ShortType", "tinyint": "ByteType", "blob": "BytesType",
            "date": "SimpleDateType", "inet": "InetAddressType", "timeuuid": "TimeUUIDType", "uuid": "UUIDType",
        }.get(cql, f"{cql.capitalize()}Type"))  # fmt: skip
    parts = [driver_type(part) for part in cql.inner()]
    if cql.kind == "vector":
        return type("Vector", (cqltypes.VectorType,), {"vector_size": cql.dimension, "subtype": parts[0]})
    if cql.kind == "user":
        return cqltypes.TupleType.apply_parameters(parts)
    base = {"list": cqltypes.ListType, "set": cqltypes.ListType, "map": cqltypes.MapType, "tuple": cqltypes.TupleType}
    return base[cql.kind].apply_parameters(parts)


def read(raw: bytes, cql: CqlType) -> Any:
    """The value in `raw`: lists for lists, sets and vectors, pairs for maps; a NaN is the text nan."""
    return _bare(driver_type(cql).from_binary(raw, 5))


def _bare(value: Any) -> Any:
    if hasattr(value, "items"):
        return [(_bare(key), _bare(item)) for key, item in value.items()]
    if type(value) is tuple:
        return tuple(map(_bare, value))
    if isinstance(value, list):
        return [_bare(item) for item in value]
    if isinstance(value, float) and value != value:  # noqa: PLR0124  # that is NaN
        return "nan"
    if hasattr(value, "nanoseconds"):
        return value.months, value.days, value.nanoseconds
    return getattr(value, "nanosecond_time", value)
