"""What goes in through acsylla comes out of cassandra-driver, bit for bit, for every CQL type."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest

from mysimbdp.coredms.schema import apply_tenant
from mysimbdp.coredms.types import arrow_type
from mysimbdp.tenants.cqltypes import SCALARS, ScalarType
from mysimbdp.tenants.model import Tenant

from .conftest import tenant_with
from .driver_types import read
from .loading import load

pytestmark = pytest.mark.onebox

VALUES: dict[ScalarType, list[Any]] = {
    "ascii": ["", "plain", "a\0b", "~" * 1000],
    "bigint": [-(2**63), -1, 0, 2**63 - 1],
    "blob": [b"", b"\0", bytes(range(256)) * 8],
    "boolean": [True, False],
    "date": [-719_162, -365, -1, 0, 1, 17_538, 2_932_896],
    "decimal": ["0", "0.00", "-1.50", "1E+5", "1E-10", "-0.5", "127", "128", "-129", "12345678901234567.123456789"],
    "double": [0.0, -0.0, 1.5, -1e300, 5e-324, math.inf, -math.inf],
    "duration": [(0, 0, 0), (1, 2, 3), (-1, -2, -3), (2**31 - 1, 2**31 - 1, 2**63 - 1), (-(2**31) + 1, 0, 0)],
    "float": [0.0, 1.5, -2.25, math.inf],
    "inet": ["10.0.0.1", "255.255.255.255", "::1", "2001:db8::1"],
    "int": [-(2**31), -1, 0, 2**31 - 1],
    "smallint": [-(2**15), 0, 2**15 - 1],
    "text": ["", "é日本😀", "a\0b", "line\nbreak", "'quoted'", "x" * 60_000],
    "time": [0, 1, 999, 3_723_000_004_001, 86_399_999_999_999],
    "timestamp": [-62_135_596_800_000, -12_345, -1, 0, 1, 1001, 1023, 1_516_321_234_567, 253_402_300_799_999],
    "timeuuid": ["0432486e-e792-11f1-9b0b-02fc00000001"],
    "tinyint": [-128, 0, 127],
    "uuid": ["6cfeb2ee-a46f-4e72-a7f8-82615aabdad7", "00000000-0000-0000-0000-000000000000"],
    "varint": ["0", "-1", "127", "128", "-128", "-129", "255", "256", str(2**70), str(-(2**70))],
}  # fmt: skip
"""Dates in days, times in nanoseconds, timestamps in milliseconds: as they lie in Arrow and in Cassandra."""


KINDS = {cql: ("value",) if cql == "duration" else ("value", "key") for cql in VALUES}
"""Durations have no order, so that they cannot be a key."""


def as_arrow(cql: ScalarType, values: list[Any]) -> Any:
    if cql == "date":
        return pa.array(values, pa.int32()).cast(arrow_type(cql))
    if cql in ("time", "timestamp"):
        return pa.array(values, pa.int64()).cast(arrow_type(cql))
    return pa.array(values, arrow_type(cql))


def comparable(cql: ScalarType, raw: bytes) -> Any:
    """The serialised value, read without any driver's idea of the type."""
    readers: dict[str, Callable[[bytes], Any]] = {
        "date": lambda raw: int.from_bytes(raw, "big") - 2**31,
        "varint": lambda raw: str(_signed(raw)),
        "decimal": lambda raw: str(Decimal(_signed(raw[4:])).scaleb(-_signed(raw[:4]))),
        "duration": lambda raw: read(raw, "duration"),
        "uuid": lambda raw: str(UUID(bytes=raw)),
        "timeuuid": lambda raw: str(UUID(bytes=raw)),
        "inet": lambda raw: str(ipaddress.ip_address(raw)),
        "text": bytes.decode,
        "ascii": bytes.decode,
        "blob": bytes,
    }
    return readers.get(cql, _signed)(raw)


def _signed(raw: bytes) -> int:
    return int.from_bytes(raw, "big", signed=True)


def test_every_type_has_scenarios() -> None:
    assert set(VALUES) == set(SCALARS)


@pytest.fixture(scope="module")
def typed(reader: Any) -> Iterator[Tenant]:
    """A tenant with two tables a type: one keyed by a number, one keyed by the value itself."""
    tables = {
        f"{cql}_{kind}": {"columns": {"n": "bigint", "v": cql}, "partition_key": [key]}
        for cql in VALUES
        for kind, key in zip(KINDS[cql], ("n", "v"), strict=False)
    }
    tenant = tenant_with("t_types", tables)
    apply_tenant(tenant)
    yield tenant
    reader.execute(f"DROP KEYSPACE {tenant.keyspace}")
    reader.execute("DELETE FROM mysimbdp.schemas WHERE tenant = %s", (tenant.tenant,))


@pytest.mark.parametrize(("kind", "cql"), [(kind, cql) for cql in sorted(VALUES) for kind in KINDS[cql]])
def test_a_value_comes_back_as_it_went_in(cql: ScalarType, kind: str, typed: Tenant, reader: Any) -> None:
    values = [value for value in VALUES[cql] if kind == "value" or value not in ("", b"")]  # no empty keys in Cassandra
    numbers = list(range(len(values)))
    rows = pa.RecordBatch.from_pydict(
        {"n": pa.array(numbers, pa.int64()), "v": as_arrow(cql, values), "_source": pa.array(numbers, pa.int64())}
    )
    table = f"{cql}_{kind}"
    assert load(typed, table, [rows]).rows == len(values)
    if cql in ("boolean", "double", "float"):
        found = {row.n: row.v for row in reader.execute(f"SELECT n, v FROM {typed.keyspace}.{table}")}
        assert [(found[n], math.copysign(1, found[n])) for n in numbers] == [(v, math.copysign(1, v)) for v in values]
        return
    shown = "v" if cql == "blob" else f"{cql}asblob(v)"
    found = {row.n: row.raw for row in reader.execute(f"SELECT n, {shown} AS raw FROM {typed.keyspace}.{table}")}
    assert [comparable(cql, found[n]) for n in numbers] == values


@pytest.mark.parametrize("cql", sorted(VALUES))
def test_a_missing_value_is_no_cell_at_all(cql: ScalarType, typed: Tenant, reader: Any) -> None:
    """Neither a tombstone nor an overwrite: a later ingest without the value leaves the earlier one in place."""
    table = f"{cql}_value"
    n = pa.array([1000], pa.int64())
    with_value = pa.RecordBatch.from_pydict({"n": n, "v": as_arrow(cql, VALUES[cql][-1:]), "_source": n})
    without = pa.RecordBatch.from_pydict({"n": n, "v": pa.array([None], arrow_type(cql)), "_source": n})
    load(typed, table, [with_value], timestamp=1000)
    load(typed, table, [without], timestamp=2000)
    query = f'SELECT writetime(v) AS w, writetime("_source") AS s FROM {typed.keyspace}.{table} WHERE n = 1000'
    (row,) = reader.execute(query)
    assert (row.w, row.s) == (1000, 2000)
