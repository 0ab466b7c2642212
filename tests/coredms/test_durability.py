"""A lone node that is killed has kept what `until_durable` vouched for."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import acsylla
import pytest
from cassandra.cluster import NoHostAvailable
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from mysimbdp.coredms.durability import Life, life_of, until_durable
from mysimbdp.coredms.session import coredms_session
from mysimbdp.errors import Code, TransientError
from mysimbdp.onebox import cassandra, process
from mysimbdp.onebox.onebox import Onebox

from .conftest import TenantMaker

pytestmark = pytest.mark.onebox

Result = TypeVar("Result")
ROWS = 3000
AT_ONCE = 300


def with_session(work: Callable[[Any], Awaitable[Result]]) -> Result:
    async def do() -> Result:
        async with coredms_session() as session:
            return await work(session)

    return asyncio.run(do())


@pytest.mark.usefixtures("reader")
def test_a_lone_node_is_waited_for_about_one_and_a_half_syncs() -> None:
    async def work(session: Any) -> float:
        life = await life_of(session)
        assert life.generation is not None
        assert life.lag_seconds == pytest.approx(0.15)
        started = time.monotonic()
        await until_durable(session, life)
        return time.monotonic() - started

    assert with_session(work) >= 0.15


@pytest.mark.usefixtures("reader")
def test_where_nothing_can_be_forgotten_nothing_is_waited_for() -> None:
    async def work(session: Any) -> float:
        started = time.monotonic()
        await until_durable(session, Life(None))
        return time.monotonic() - started

    assert with_session(work) < 0.05


def test_what_is_durable_survives_kill_9_and_a_new_life_is_told_from_the_old(
    applied: TenantMaker, reader: Any, coredms_only: Onebox
) -> None:
    tenant = applied({"t": {"columns": {"k": "bigint"}, "partition_key": ["k"], "lineage": False}})

    async def write(session: Any) -> Life:
        life = await life_of(session)
        insert = await session.create_prepared(f"INSERT INTO {tenant.keyspace}.t (k) VALUES (?)")
        for first in range(0, ROWS, AT_ONCE):
            numbers = range(first, first + AT_ONCE)
            await asyncio.gather(*(session.execute(insert.bind([number])) for number in numbers))
        await until_durable(session, life)
        return life

    async def count(session: Any) -> int:
        cql = f"SELECT count(*) FROM {tenant.keyspace}.t"
        return int((await session.execute(acsylla.create_statement(cql))).first()["count"])

    before = with_session(write)
    process.stop(cassandra.NAME, coredms_only.home, how=signal.SIGKILL, patience=20)
    coredms_only.up(only_coredms=True)
    _until_the_other_driver_notices(reader)
    assert with_session(count) == ROWS
    with pytest.raises(TransientError) as caught:
        with_session(lambda session: until_durable(session, before))
    assert caught.value.problem.code is Code.COREDMS_RESTARTED


def _until_the_other_driver_notices(reader: Any) -> None:
    for attempt in Retrying(
        retry=retry_if_exception_type(NoHostAvailable), stop=stop_after_delay(90), wait=wait_fixed(0.5)
    ):
        with attempt:
            reader.execute("SELECT key FROM system.local")
