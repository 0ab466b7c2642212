"""Columns serialised as a whole: the bytes that Cassandra stores, where the CQL route has its own way to them."""

from __future__ import annotations

import struct
import uuid
from typing import Any

import pyarrow as pa
import pytest

from mysimbdp.coredms.bulk.columns import cells
from mysimbdp.coredms.cells import decimal_bytes, scalar_cell, twos_complement
from mysimbdp.coredms.types import arrow_type
from mysimbdp.tenants.cqltypes import ScalarType

NUMBERS = [sign * (2**power + around) for power in range(60) for around in (-1, 0, 1) for sign in (1, -1)]
DECIMALS = ["0", "0.00", "-1.50", "-0.5", "127", "128", "-129", "0.001", "-99999999999999.999", "1"]


def taken_apart(column: pa.Array[Any], cql: ScalarType) -> list[bytes]:
    found = cells(column, cql)
    data = bytes(found.data)
    if found.offsets is None:
        return [data[start : start + found.width] for start in range(0, len(data), found.width)]
    return [data[start:stop] for start, stop in zip(found.offsets, found.offsets[1:], strict=False)]


@pytest.mark.parametrize(
    ("cql", "values", "expected"),
    [
        ("varint", [str(n) for n in NUMBERS], [twos_complement(n) for n in NUMBERS]),
        ("varint", [str(10**30), "-1"], [twos_complement(10**30), b"\xff"]),
        ("decimal", DECIMALS, [decimal_bytes(text) for text in DECIMALS]),
        ("decimal", [*DECIMALS, "1E+5", "1E-10"], [decimal_bytes(text) for text in [*DECIMALS, "1E+5", "1E-10"]]),
        ("decimal", ["12345678901234567.123456789"], [decimal_bytes("12345678901234567.123456789")]),
        ("uuid", [str(uuid.UUID(int=n << 60)) for n in range(50)], [uuid.UUID(int=n << 60).bytes for n in range(50)]),
        ("inet", ["10.0.0.1", "::1"], [bytes([10, 0, 0, 1]), bytes(15) + b"\1"]),
        (
            "duration",
            [(0, 0, 0), (1, 2, 3), (-1, -2, -(2**62))],
            [scalar_cell(parts, "duration") for parts in ((0, 0, 0), (1, 2, 3), (-1, -2, -(2**62)))],
        ),
        ("boolean", [True, False] * 9, [b"\1", b"\0"] * 9),
        ("date", [-719_162, 0, 17_538], [struct.pack(">I", n + 2**31) for n in (-719_162, 0, 17_538)]),
        ("smallint", [-2, 2**15 - 1], [b"\xff\xfe", b"\x7f\xff"]),
        ("double", [-0.0, 1.5], [struct.pack(">d", -0.0), struct.pack(">d", 1.5)]),
        ("text", ["", "é", "b" * 300], [b"", "é".encode(), b"b" * 300]),
        ("blob", [b"\0\1", b""], [b"\0\1", b""]),
    ],
)
def test_values_become_the_bytes_that_cassandra_stores(
    cql: ScalarType, values: list[Any], expected: list[bytes]
) -> None:
    plain = pa.array(values, pa.int32()).cast(pa.date32()) if cql == "date" else pa.array(values, arrow_type(cql))
    assert taken_apart(plain, cql) == expected
    # as one slice of a longer column, as windows are
    around = pa.concat_arrays([plain, plain, plain]).slice(len(values), len(values))
    assert taken_apart(around, cql) == expected
    # and with a gap in it, whose own bytes mean nothing
    gap = pa.concat_arrays([plain, pa.nulls(1, plain.type)])
    assert taken_apart(gap, cql)[:-1] == expected
