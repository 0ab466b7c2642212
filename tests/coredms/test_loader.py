"""The loader against a real node: idempotence, order of ingests, lineage, batches, faults of the schema."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import uuid1

import pyarrow as pa
import pytest

from mysimbdp.coredms import loader as loader_module
from mysimbdp.coredms.batching import BatchLimits, read_limits
from mysimbdp.coredms.session import coredms_session
from mysimbdp.errors import Code, TerminalError
from mysimbdp.tenants.model import Tenant

from .conftest import TenantMaker, tenant_with
from .loading import DIGEST, INGEST, load

pytestmark = pytest.mark.onebox

NATURAL = {"t": {"columns": {"k": "text", "c": "int", "v": "text"}, "partition_key": ["k"], "clustering_key": ["c"]}}
KEYLESS = {"t": {"columns": {"v": "text"}}}


def rows(start: int, stop: int, *, partitions: int = 10, value: str = "v") -> pa.RecordBatch:
    numbers = range(start, stop)
    return pa.RecordBatch.from_pydict(
        {
            "k": pa.array([f"k{n % partitions}" for n in numbers]),
            "c": pa.array(numbers, pa.int32()),
            "v": pa.array([f"{value}{n}" for n in numbers]),
            "_source": pa.array(numbers, pa.int64()),
        }
    )


def count(reader: Any, tenant: Tenant) -> int:
    return int(reader.execute(f"SELECT count(*) AS n FROM {tenant.keyspace}.t", timeout=60).one().n)


def test_the_same_rows_loaded_twice_are_there_once_and_unchanged(applied: TenantMaker, reader: Any) -> None:
    tenant = applied(NATURAL)
    first = load(tenant, "t", [rows(0, 5000)])
    before = sorted(map(tuple, reader.execute(f"SELECT k, c, v, writetime(v) FROM {tenant.keyspace}.t")))
    second = load(tenant, "t", [rows(0, 5000)])
    assert (first.rows, second.rows) == (5000, 5000)
    assert sorted(map(tuple, reader.execute(f"SELECT k, c, v, writetime(v) FROM {tenant.keyspace}.t"))) == before
    assert len(before) == 5000


def test_an_older_ingest_never_wins_over_a_newer_one(applied: TenantMaker, reader: Any) -> None:
    tenant = applied(NATURAL)
    newer, older = uuid1(), uuid1()
    load(tenant, "t", [rows(0, 100, value="new")], timestamp=2_000_000, ingest=newer)
    load(tenant, "t", [rows(0, 100, value="old")], timestamp=1_000_000, ingest=older)
    found = list(reader.execute(f'SELECT v, "_ingest" AS ingest, writetime(v) AS w FROM {tenant.keyspace}.t'))
    assert len(found) == 100
    assert {(row.v[:3], row.ingest, row.w) for row in found} == {("new", newer, 2_000_000)}


def test_rows_know_their_ingest_their_record_and_without_a_natural_key_their_file(
    applied: TenantMaker, reader: Any
) -> None:
    tenant = applied(KEYLESS)
    given = rows(7, 10).select(["v", "_source"])
    load(tenant, "t", [given])
    load(tenant, "t", [given], digest="cd" * 32)
    query = f'SELECT "_file" AS f, "_record" AS r, "_source" AS s, "_ingest" AS i, v FROM {tenant.keyspace}.t'
    found = sorted((row.f, row.r, row.s, row.i, row.v) for row in reader.execute(query))
    assert found[:3] == [(DIGEST, n, n, INGEST, f"v{n}") for n in (7, 8, 9)]
    assert len(found) == 6


def test_a_table_without_lineage_keeps_only_its_columns(applied: TenantMaker, reader: Any) -> None:
    tenant = applied({"t": {"columns": {"k": "text", "v": "text"}, "partition_key": ["k"], "lineage": False}})
    load(tenant, "t", [rows(0, 3).select(["k", "v", "_source"])])
    assert set(reader.execute(f"SELECT * FROM {tenant.keyspace}.t").column_names) == {"k", "v"}


def test_columns_that_the_file_lacks_stay_unset(applied: TenantMaker, reader: Any) -> None:
    tenant = applied(NATURAL)
    load(tenant, "t", [rows(0, 3)], timestamp=1000)
    load(tenant, "t", [rows(0, 3).select(["k", "c", "_source"])], timestamp=2000)
    assert {row.w for row in reader.execute(f"SELECT writetime(v) AS w FROM {tenant.keyspace}.t")} == {1000}


def test_each_row_with_its_own_missing_decimals_is_written_in_full(applied: TenantMaker, reader: Any) -> None:
    columns = {"n": "bigint", **{f"d{i}": "decimal" for i in range(4)}}
    tenant = applied({"t": {"columns": columns, "partition_key": ["n"]}})
    n = pa.array(range(16), pa.int64())
    data = {f"d{i}": pa.array([None if number >> i & 1 else f"{number}.{i}" for number in range(16)]) for i in range(4)}
    load(tenant, "t", [pa.RecordBatch.from_pydict({"n": n, **data, "_source": n})])
    for row in reader.execute(f"SELECT * FROM {tenant.keyspace}.t"):
        for i in range(4):
            value = getattr(row, f"d{i}")
            assert (None if value is None else str(value)) == (None if row.n >> i & 1 else f"{row.n}.{i}")


@pytest.mark.parametrize("partitions", [1, 50, 10_000], ids=["one partition", "some", "one-row partitions"])
@pytest.mark.parametrize("alone", [True, False], ids=["one node's way", "a cluster's way"])
def test_all_rows_arrive_whatever_the_batches(
    partitions: int, alone: bool, applied: TenantMaker, reader: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def limits(_session: Any) -> BatchLimits:
        return BatchLimits(across_partitions=alone)

    monkeypatch.setattr(loader_module, "read_limits", limits)
    tenant = applied(NATURAL)
    seen: list[int] = []
    result = load(
        tenant, "t", (rows(n, n + 700, partitions=partitions) for n in range(0, 10_500, 700)), progress=seen.append
    )
    assert (result.rows, result.retries) == (10_500, 0)
    assert seen == sorted(seen)
    assert seen[-1] == 10_500
    assert result.bytes > 10_500 * 10
    assert count(reader, tenant) == 10_500


def test_the_limits_are_the_servers_own(reader: Any) -> None:
    async def work() -> BatchLimits:
        async with coredms_session() as session:
            return await read_limits(session)

    limits = asyncio.run(work())
    text = (
        reader.execute("SELECT value FROM system_views.settings WHERE name = 'batch_size_fail_threshold'").one().value
    )
    assert text.endswith("KiB")
    assert limits == BatchLimits(across_partitions=True, max_bytes_across=int(text.removesuffix("KiB")) * 512)


def test_a_batch_the_server_calls_too_large_goes_row_by_row(
    applied: TenantMaker, reader: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def generous(_session: Any) -> BatchLimits:
        return BatchLimits(across_partitions=True, max_bytes_across=10_000_000, max_rows_across=1000)

    monkeypatch.setattr(loader_module, "read_limits", generous)
    tenant = applied(NATURAL)
    result = load(tenant, "t", [rows(0, 1000, partitions=1000, value="x" * 1000)])
    assert result.rows == count(reader, tenant) == 1000


def test_rows_of_megabytes_are_loaded_with_little_under_way(applied: TenantMaker, reader: Any) -> None:
    tenant = applied(NATURAL)
    assert load(tenant, "t", [rows(0, 6, value="y" * 3_000_000)]).rows == count(reader, tenant) == 6


def test_others_on_the_event_loop_get_their_turn(applied: TenantMaker) -> None:
    """A coroutine that renews leases must not starve; this is about order of magnitude, not about speed."""
    tenant = applied(NATURAL)

    async def work() -> int:
        turns = 0

        async def renew() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0.001)

        async with coredms_session() as session:
            loader = loader_module.Loader(
                session, tenant.keyspace, "t", tenant.tables["t"],
                write_timestamp_us=1, ingest_id=INGEST, file_digest=DIGEST,
            )  # fmt: skip
            renewing = asyncio.create_task(renew())
            await loader.load([rows(0, 20_000)])
            renewing.cancel()
        return turns

    assert asyncio.run(work()) > 20


def test_a_missing_table_says_that_the_schema_is_not_applied(reader: Any) -> None:
    with pytest.raises(TerminalError) as caught:
        load(tenant_with("t_never", NATURAL), "t", [rows(0, 1)])
    assert caught.value.problem.code is Code.SCHEMA_NOT_APPLIED


def test_a_row_the_server_refuses_ends_the_load_with_its_words(applied: TenantMaker) -> None:
    tenant = applied(NATURAL)
    bad = pa.RecordBatch.from_pydict(
        {"k": pa.array(["x" * 70_000]), "c": pa.array([1], pa.int32()), "_source": pa.array([0], pa.int64())}
    )
    with pytest.raises(TerminalError) as caught:
        load(tenant, "t", [rows(0, 100), bad])
    assert caught.value.problem.code is Code.COREDMS_REFUSED
    assert "70000" in caught.value.problem.what


def test_a_source_that_fails_ends_the_load_with_its_own_error(applied: TenantMaker) -> None:
    def source() -> Iterator[pa.RecordBatch]:
        yield rows(0, 100)
        raise OSError("the spool is gone")

    with pytest.raises(OSError, match="the spool is gone"):
        load(applied(NATURAL), "t", source())


def test_a_column_of_the_wrong_arrow_type_is_a_mistake_of_the_program(applied: TenantMaker) -> None:
    wrong = pa.RecordBatch.from_pydict(
        {"k": ["a"], "c": pa.array([1], pa.int64()), "_source": pa.array([0], pa.int64())}
    )
    with pytest.raises(TypeError, match="column c arrives as int64"):
        load(applied(NATURAL), "t", [wrong])
