"""Cassandra slow, frozen, away or refusing while somebody wants to load."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from mysimbdp.connections import COREDMS, Connection, connection
from mysimbdp.coredms.session import coredms_session
from mysimbdp.errors import Code, MysimbdpError, TerminalError, TransientError
from mysimbdp.onebox.onebox import Onebox

from .conftest import TenantMaker
from .loading import load

pytestmark = pytest.mark.onebox

TABLES = {"t": {"columns": {"k": "bigint", "v": "text"}, "partition_key": ["k"]}}


def pid_of_cassandra(box: Onebox) -> int:
    (pid,) = [state.pid for state in box.status() if state.service == "cassandra"]
    assert pid is not None
    return pid


@contextmanager
def frozen(box: Onebox) -> Iterator[None]:
    """The node takes connections and bytes, and answers nothing."""
    pid = pid_of_cassandra(box)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection whose requests time out after a second."""
    variable = f"AIRFLOW_CONN_{COREDMS.upper()}"
    facts = json.loads(os.environ[variable])
    facts["extra"] = {**facts["extra"], "request_timeout": 1, "connect_timeout": 1}
    monkeypatch.setenv(variable, json.dumps(facts))


def batches() -> Iterator[pa.RecordBatch]:
    for start in range(0, 40_000, 1000):
        n = pa.array(range(start, start + 1000), pa.int64())
        yield pa.RecordBatch.from_pydict({"k": n, "v": pa.array(["v"] * 1000), "_source": n})


def test_a_node_that_freezes_in_the_middle_costs_time_and_no_row(
    applied: TenantMaker, reader: Any, coredms_only: Onebox, impatient: None
) -> None:
    tenant = applied(TABLES)
    halfway = threading.Event()

    def freeze() -> None:
        assert halfway.wait(60)
        with frozen(coredms_only):
            time.sleep(3)

    freezer = threading.Thread(target=freeze)
    freezer.start()
    result = load(tenant, "t", batches(), progress=lambda rows: halfway.set() if rows > 10_000 else None)
    freezer.join()
    assert result.rows == 40_000
    assert result.retries > 0
    found = reader.execute(f"SELECT count(*) AS n FROM {tenant.keyspace}.t", timeout=60).one().n
    assert found == 40_000


def test_patience_ends_with_a_reason_and_the_next_try_completes_the_load(
    applied: TenantMaker, reader: Any, coredms_only: Onebox, impatient: None
) -> None:
    tenant = applied(TABLES)
    halfway, done = threading.Event(), threading.Event()

    def freeze() -> None:
        assert halfway.wait(60)
        with frozen(coredms_only):
            done.wait(60)

    freezer = threading.Thread(target=freeze)
    freezer.start()
    try:
        with pytest.raises(TransientError) as caught:
            load(
                tenant,
                "t",
                batches(),
                progress=lambda rows: halfway.set() if rows > 5_000 else None,
                patience_seconds=3,
            )
    finally:
        done.set()
        freezer.join()
    assert caught.value.problem.code in (Code.COREDMS_OVERLOADED, Code.COREDMS_UNREACHABLE)
    assert load(tenant, "t", batches()).rows == 40_000
    found = reader.execute(f"SELECT count(*) AS n FROM {tenant.keyspace}.t", timeout=60).one().n
    assert found == 40_000


def problem_of_opening(conn: Connection) -> MysimbdpError:
    async def work() -> None:
        async with coredms_session(conn):
            pass

    with pytest.raises(MysimbdpError) as caught:
        asyncio.run(work())
    return caught.value


def test_no_node_at_the_address_is_unreachable(coredms_only: Onebox) -> None:
    fault = problem_of_opening(replace(connection(COREDMS), port=1))
    assert isinstance(fault, TransientError)
    assert fault.problem.code is Code.COREDMS_UNREACHABLE


def test_a_frozen_node_is_unreachable_within_the_time_to_connect(coredms_only: Onebox) -> None:
    impatient = replace(connection(COREDMS), extra={"connect_timeout": 1})
    with frozen(coredms_only):
        fault = problem_of_opening(impatient)
    assert isinstance(fault, TransientError)
    assert fault.problem.code is Code.COREDMS_UNREACHABLE


@pytest.mark.parametrize("changed", [{"password": "wrong"}, {"login": "nobody"}], ids=["password", "login"])
def test_wrong_credentials_are_refused_for_good(changed: dict[str, str], coredms_only: Onebox) -> None:
    fault = problem_of_opening(replace(connection(COREDMS), **changed))  # type: ignore[arg-type]  # strings only
    assert isinstance(fault, TerminalError)
    assert fault.problem.code is Code.COREDMS_REFUSED
    assert "wrong" not in str(fault)
