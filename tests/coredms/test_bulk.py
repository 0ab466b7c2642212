"""The bulk route against a real node: the same rows as by CQL, all of them or none, and nothing left behind."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid1

import psutil
import pyarrow as pa
import pytest

from mysimbdp.coredms.cells import list_cell, tuple_cell, vector_cell
from mysimbdp.coredms.loader import LoadResult
from mysimbdp.coredms.types import arrow_type
from mysimbdp.errors import Code, MysimbdpError, TerminalError, TransientError
from mysimbdp.onebox.onebox import Onebox
from mysimbdp.tenants.model import Tenant

from .conftest import TenantMaker, tenant_with
from .loading import bulk_loading, bulk_target, load
from .test_loader import KEYLESS, NATURAL, count, rows
from .test_round_trip import KINDS, VALUES, as_arrow

pytestmark = pytest.mark.onebox


def bulk(tenant: Tenant, table: str, batches: Any, **facts: Any) -> LoadResult:
    return asyncio.run(bulk_loading(tenant, table, batches, **facts))


def programs() -> list[psutil.Process]:
    """The Java programs of this process."""
    return [child for child in psutil.Process().children(recursive=True) if "SSTables" in child.cmdline()]


def stored(reader: Any, tenant: Tenant, table: str) -> list[tuple[Any, ...]]:
    """All rows, with the serialised value and the write time of each cell."""
    types = tenant.tables[table].cql_columns
    plain = [name for name, cql in types.items() if not isinstance(cql, str) or cql == "blob"]
    key = {*tenant.tables[table].cql_partition_key, *tenant.tables[table].cql_clustering_key}
    shown = [f'"{name}"' if name in plain else f'{cql}asblob("{name}")' for name, cql in types.items()]
    times = [f'writetime("{name}")' for name in types if name not in key]
    query = f"SELECT {', '.join([*shown, *times])} FROM {tenant.keyspace}.{table}"
    return sorted((tuple(row) for row in reader.execute(query, timeout=60)), key=repr)


@pytest.fixture(autouse=True)
def nothing_is_left_behind(coredms_only: Onebox) -> Iterator[None]:
    yield
    assert programs() == []
    assert list(bulk_target().folder.iterdir()) == []


def test_every_type_is_stored_as_by_cql_and_what_is_missing_is_no_cell(applied: TenantMaker, reader: Any) -> None:
    nested = {"l": "list<int>", "t": "tuple<int, text>", "f": "vector<float, 2>", "w": "vector<text, 2>"}
    columns = {"n": "bigint", **{f"v_{cql}": cql for cql in VALUES}, **nested}
    tenant = applied({name: {"columns": columns, "partition_key": ["n"]} for name in ("by_cql", "in_bulk")})
    size = max(map(len, VALUES.values())) + 1
    data = {f"v_{cql}": as_arrow(cql, values + [None] * (size - len(values))) for cql, values in VALUES.items()}
    word, one, half = b"w\xc3\xa9", (1).to_bytes(4, "big"), struct.pack(">f", 0.5)
    packed = {
        "l": list_cell([one, one]),
        "t": tuple_cell([None, word]),
        "f": vector_cell([half, half], "float"),
        "w": vector_cell([word, b""], "text"),
    }
    data |= {
        name: pa.array([raw, None] * (size // 2) + [raw] * (size % 2), pa.binary()) for name, raw in packed.items()
    }
    n = pa.array(range(size), pa.int64())
    batch = pa.RecordBatch.from_pydict({"n": n, **data, "_source": n})
    load(tenant, "by_cql", [batch])
    assert bulk(tenant, "in_bulk", [batch.slice(0, 3), batch.slice(3)]).rows == size
    assert stored(reader, tenant, "in_bulk") == stored(reader, tenant, "by_cql")


def test_every_type_is_a_key_as_by_cql(applied: TenantMaker, reader: Any) -> None:
    columns = {f"{kind}_{cql}": cql for cql in VALUES for kind in ("p", "c") if "key" in KINDS[cql]}
    table = {"columns": columns, **{
        f"{kind}_key": [name for name in columns if name.startswith(kind[0])] for kind in ("partition", "clustering")
    }}  # fmt: skip
    tenant = applied({"by_cql": table, "in_bulk": table})
    size = max(map(len, VALUES.values()))
    values = {**VALUES, "text": VALUES["text"][1:3], "blob": VALUES["blob"][1:2]}  # 64 KiB is the most for a key
    data = {}
    for name, cql in columns.items():
        data[name] = as_arrow(cql, [values[cql][n % len(values[cql])] for n in range(size)])
    batch = pa.RecordBatch.from_pydict({**data, "_source": pa.array(range(size), pa.int64())})
    load(tenant, "by_cql", [batch])
    bulk(tenant, "in_bulk", [batch])
    assert stored(reader, tenant, "in_bulk") == stored(reader, tenant, "by_cql")


def test_each_kind_of_table_gets_the_rows_that_the_cql_route_gives_it(applied: TenantMaker, reader: Any) -> None:
    tenant = applied(
        {
            f"{name}_{way}": table
            for way in ("cql", "bulk")
            for name, table in {
                "plain": {"columns": NATURAL["t"]["columns"], "partition_key": ["c"]},
                "wide": NATURAL["t"],
                "keyless": KEYLESS["t"],
                "bare": {**NATURAL["t"], "lineage": False},
            }.items()
        }
    )
    # keys come twice, with the smaller value behind the larger and the other way round: Cassandra's rule decides
    batches = [rows(0, 3000, value="b"), rows(1000, 4000, value="a"), rows(3500, 6000, value="c")]
    for name in ("plain", "wide", "keyless", "bare"):
        given = [batch.select(["v", "_source"]) for batch in batches] if name == "keyless" else batches
        load(tenant, f"{name}_cql", given)
        assert bulk(tenant, f"{name}_bulk", given).rows == 8500
        found = stored(reader, tenant, f"{name}_bulk")
        assert found == stored(reader, tenant, f"{name}_cql")
        assert len(found) == 6000


def test_keys_that_come_again_in_another_sstable_end_as_the_same_row(applied: TenantMaker, reader: Any) -> None:
    tenant = applied(NATURAL)
    filler = "x" * 1_000_000
    batches = (rows(n, n + 1, value=f"{prefix}{filler}") for prefix in "ba" for n in range(40))  # 80 MB
    assert bulk(tenant, "t", batches).rows == 80
    query = f"SELECT v FROM {tenant.keyspace}.t"
    assert [row.v[0] for row in reader.execute(query, timeout=60)] == ["b"] * 40


def test_the_same_rows_twice_are_there_once_and_an_older_ingest_never_wins(applied: TenantMaker, reader: Any) -> None:
    tenant = applied(NATURAL)
    newer, older, seen = uuid1(), uuid1(), list[int]()
    for _ in range(2):
        bulk(tenant, "t", [rows(0, 100, value="new")], timestamp=2_000_000, ingest=newer, progress=seen.append)
    bulk(tenant, "t", [rows(50, 150, value="old")], timestamp=1_000_000, ingest=older)
    found = list(reader.execute(f'SELECT c, v, "_ingest" AS ingest, writetime(v) AS w FROM {tenant.keyspace}.t'))
    assert seen == [100, 100]
    assert len(found) == 150
    for row in found:
        assert (row.v[:3], row.ingest, row.w) == (
            ("new", newer, 2_000_000) if row.c < 100 else ("old", older, 1_000_000)
        )


def test_no_rows_are_no_work(applied: TenantMaker, reader: Any) -> None:
    tenant = applied(NATURAL)
    assert bulk(tenant, "t", []).rows == count(reader, tenant) == 0


def test_a_read_is_spared_the_sstables_that_have_not_its_key(applied: TenantMaker, coredms_only: Onebox) -> None:
    tenant = applied(NATURAL)
    bulk(tenant, "t", [rows(0, 4000, partitions=4000)])
    data = coredms_only.home / "cassandra" / "data" / "data" / tenant.keyspace
    (bloom_filter,) = data.glob("t-*/*-Filter.db")
    assert bloom_filter.stat().st_size > 4000


def test_a_program_killed_in_the_middle_leaves_nothing_and_the_load_is_repeated(
    applied: TenantMaker, reader: Any
) -> None:
    tenant = applied(NATURAL)

    def killing() -> Iterator[pa.RecordBatch]:
        for start in range(0, 100_000, 1000):
            if start == 50_000:
                programs()[0].kill()
            yield rows(start, start + 1000)

    with pytest.raises(TransientError, match="ended with -9") as caught:
        bulk(tenant, "t", killing())
    assert caught.value.problem.code is Code.BULK_FAILED
    assert count(reader, tenant) == 0
    bulk(tenant, "t", [rows(0, 2000)])
    assert count(reader, tenant) == 2000


def test_a_load_that_is_cancelled_imports_nothing(applied: TenantMaker, reader: Any) -> None:
    tenant = applied(NATURAL)

    async def work() -> None:
        async def endless() -> Any:
            while True:
                yield rows(0, 1000)
                await asyncio.sleep(0.01)

        loading = asyncio.create_task(bulk_loading(tenant, "t", endless()))
        await asyncio.sleep(2)
        loading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loading

    asyncio.run(work())
    assert count(reader, tenant) == 0


def test_a_source_that_fails_ends_the_load_with_its_own_error(applied: TenantMaker, reader: Any) -> None:
    def source() -> Iterator[pa.RecordBatch]:
        yield rows(0, 100)
        raise OSError("the spool is gone")

    tenant = applied(NATURAL)
    with pytest.raises(OSError, match="the spool is gone"):
        bulk(tenant, "t", source())
    assert count(reader, tenant) == 0


def test_the_program_does_not_outlive_who_started_it(applied: TenantMaker, reader: Any) -> None:
    tenant = applied(NATURAL)
    program = (
        "import asyncio, sys, time\n"
        "from tests.coredms.loading import bulk_loading\n"
        "from tests.coredms.test_loader import rows\n"
        "from mysimbdp.tenants.model import Tenant\n"
        "def slowly():\n"
        "    for start in range(0, 10**9, 1000):\n"
        "        yield rows(start, start + 1000)\n"
        "        print('sent', flush=True)\n"
        "        time.sleep(0.05)\n"
        "tenant = Tenant.model_validate_json(sys.argv[1])\n"
        "asyncio.run(bulk_loading(tenant, 't', slowly()))\n"
    )
    argv = [sys.executable, "-c", program, tenant.model_dump_json(by_alias=True)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}
    ) as parent:
        assert parent.stdout is not None
        for _ in range(20):
            assert parent.stdout.readline() == b"sent\n"
        (orphan,) = programs()
        parent.send_signal(signal.SIGKILL)
    psutil.wait_procs([orphan], timeout=20)
    assert not orphan.is_running()
    assert count(reader, tenant) == 0


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"password": "wrong"}, Code.BULK_FAILED, "Authentication failed"),
        ({"port": 1}, Code.COREDMS_UNREACHABLE, "Connection refused"),
        ({"folder": Path("/nowhere")}, Code.BULK_FAILED, "No such file or directory: '/nowhere'"),
    ],
    ids=["wrong password", "nobody listens", "no folder"],
)
def test_what_the_platform_lacks_is_said_and_tried_again(
    changed: dict[str, Any], code: Code, words: str, applied: TenantMaker
) -> None:
    target = dataclasses.replace(bulk_target(), **changed)
    assert target.within_reach() is ("folder" not in changed)
    with pytest.raises(TransientError, match=words) as caught:
        bulk(applied(NATURAL), "t", [rows(0, 10)], target=target)
    assert caught.value.problem.code is code


def test_a_missing_table_says_that_the_schema_is_not_applied(reader: Any) -> None:
    with pytest.raises(TerminalError) as caught:
        bulk(tenant_with("t_never", NATURAL), "t", [rows(0, 1)])
    assert caught.value.problem.code is Code.SCHEMA_NOT_APPLIED


def test_a_missing_column_says_that_the_schema_is_not_applied(applied: TenantMaker, reader: Any) -> None:
    tenant = applied(NATURAL)
    reader.execute(f"ALTER TABLE {tenant.keyspace}.t DROP v")
    with pytest.raises(TerminalError, match="no column v") as caught:
        bulk(tenant, "t", [rows(0, 1)])
    assert caught.value.problem.code is Code.SCHEMA_NOT_APPLIED


@pytest.mark.parametrize("key", ["k", "c"])
@pytest.mark.parametrize("value", ["", "x" * 70_000], ids=["empty", "too long"])
def test_a_key_is_refused_if_the_cql_route_refuses_it(key: str, value: str, applied: TenantMaker, reader: Any) -> None:
    table = {"columns": {"k": "text", "c": "text"}, "partition_key": ["k"], "clustering_key": ["c"]}
    tenant = applied({"t": table})
    facts = {"k": ["k"], "c": ["c"], key: [value]}
    batch = pa.RecordBatch.from_pydict({**facts, "_source": pa.array([0], arrow_type("bigint"))})
    outcomes: list[tuple[type, Code] | int] = []
    for way in (load, bulk):
        try:
            outcomes.append(way(tenant, "t", [batch]).rows)  # type: ignore[operator]
        except MysimbdpError as fault:
            outcomes.append((type(fault), fault.problem.code))
    assert outcomes[0] == outcomes[1]


def test_what_killed_programs_left_is_removed_in_time(applied: TenantMaker) -> None:
    left = bulk_target().folder / "left"
    (left / "sstables").mkdir(parents=True)
    for folder in (left / "sstables", left):
        os.utime(folder, (time.time() - 7200,) * 2)
    bulk(applied(NATURAL), "t", [rows(0, 1)])
    assert not left.exists()
