"""One platform over three nodes: rows are replicated, a node may die in the middle, nothing is waited for."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from tests.crash.conftest import KEYED
from tests.scenarios.customers import Customer

from mysimbdp.coredms.batching import read_limits
from mysimbdp.coredms.durability import Life, life_of
from mysimbdp.coredms.session import coredms_session

from .conftest import Node

pytestmark = [pytest.mark.onebox, pytest.mark.long, pytest.mark.timeout(900)]

ROWS = 150_000


def test_batches_stay_within_a_partition_and_acknowledged_is_durable(cluster: list[Node]) -> None:
    async def ask() -> tuple[bool, Life]:
        async with coredms_session() as session:
            return (await read_limits(session)).across_partitions, await life_of(session)

    assert asyncio.run(ask()) == (False, Life(None))


def test_a_tenant_s_rows_are_on_three_nodes(cluster: list[Node], reader: Any) -> None:
    customer = Customer.make(reader, tables=KEYED)
    cql = "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = %s"
    assert reader.execute(cql, (customer.tenant.keyspace,)).one().replication["datacenter1"] == "3"


def test_a_node_dies_in_the_middle_of_a_load_and_every_row_is_there(cluster: list[Node], reader: Any) -> None:
    customer = Customer.make(reader, tables=KEYED)
    customer.drop("big.csv", "id,word\n" + "".join(f"{row},w{row}\n" for row in range(ROWS)))
    runs = threading.Thread(target=customer.run)
    runs.start()
    deadline = time.monotonic() + 60
    while not reader.execute(f"SELECT id FROM {customer.tenant.keyspace}.events LIMIT 1").one():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    cluster[2].kill()
    runs.join(300)
    assert not runs.is_alive()
    (record,) = customer.records()
    assert (record.state, record.rows_written) == ("committed", ROWS)
    assert len(customer.rows()) == ROWS
    customer.at_rest()
