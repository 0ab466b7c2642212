"""How each CQL type looks in Arrow: the one mapping shared by gate, spool and loader."""

from __future__ import annotations

import pyarrow as pa

from mysimbdp.tenants.cqltypes import CqlType, ScalarType

_ARROW: dict[ScalarType, pa.DataType] = {
    "ascii": pa.utf8(),
    "text": pa.utf8(),
    "inet": pa.utf8(),
    "uuid": pa.utf8(),
    "timeuuid": pa.utf8(),
    # Arbitrary precision has no fixed-width Arrow type: canonical text keeps every digit.
    "varint": pa.utf8(),
    "decimal": pa.utf8(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "time": pa.time64("ns"),
    "timestamp": pa.timestamp("ms", tz="UTC"),
    "duration": pa.month_day_nano_interval(),
    "blob": pa.binary(),
}


def arrow_type(cql: CqlType) -> pa.DataType:
    """The Arrow type in which a value of CQL type `cql` travels from the gate to the loader.

    uuid and timeuuid are 36 lower-case characters; varint is digits with an optional `-`; decimal is digits with an
    optional `-`, point and `E±n`; inet is the address's shortest usual text; date is days since 1970-01-01; time is
    nanoseconds since midnight; timestamp is milliseconds since the epoch, UTC; duration is months, days and nanoseconds
    of one sign. A nested value is its bytes as Cassandra serialises them (see cells.py).
    """
    return _ARROW[cql] if isinstance(cql, str) else pa.binary()
