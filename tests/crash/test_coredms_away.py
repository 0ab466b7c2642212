"""Cassandra stops answering, or dies, in the middle of a load: the file waits and goes in."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from tests.scenarios.customers import Customer

from mysimbdp.batchingestmanager import intake, record
from mysimbdp.coredms.durability import Life
from mysimbdp.coredms.durability import until_durable as really_until_durable
from mysimbdp.coredms.loader import Loader
from mysimbdp.errors import MysimbdpError, TransientError
from mysimbdp.onebox import cassandra, process
from mysimbdp.onebox.onebox import Onebox

from .conftest import recover
from .test_points import ROWS, content_of, rows_of, the_record

pytestmark = pytest.mark.onebox


@pytest.fixture
def in_the_load(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Is set once a few requests of a load were answered; the others wait a moment for what the test does then."""
    reached = threading.Event()
    send, calls = Loader._send, []

    async def slow(self: Loader, *arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 3:
            reached.set()
            time.sleep(0.3)  # noqa: ASYNC251  # the whole event loop: nothing may slip past the outage
        await send(self, *arguments)

    monkeypatch.setattr(Loader, "_send", slow)
    return reached


def during_a_load(customer: Customer, name: str, reached: threading.Event, outage: Callable[[], None]) -> None:
    """One run in a thread, `outage` in the middle of its load."""
    run = threading.Thread(target=_run_whatever_comes, args=(customer,))
    run.start()
    assert reached.wait(60), f"{name} was not loaded"
    outage()
    run.join(150)
    assert not run.is_alive()


def _run_whatever_comes(customer: Customer) -> None:
    with suppress(MysimbdpError):  # what it ends with is not the point: the next run is
        customer.run("cut off")


def test_five_seconds_without_an_answer(customer: Customer, coredms_only: Onebox, in_the_load: threading.Event) -> None:
    node = process.running(cassandra.NAME, coredms_only.home)
    assert node is not None

    def asleep() -> None:
        os.kill(node.pid, signal.SIGSTOP)
        time.sleep(5)
        os.kill(node.pid, signal.SIGCONT)

    name = f"{customer.name}-800.csv"
    customer.drop(name, content_of(800))
    during_a_load(customer, name, in_the_load, asleep)
    recover(customer, seconds=60)
    assert the_record(customer, name).state == "committed"
    assert len(rows_of(customer, 800)) == ROWS
    assert len(customer.receipts(name)) == 1
    customer.at_rest()


def kill_and_start_again(box: Onebox) -> None:
    process.stop(cassandra.NAME, box.home, how=signal.SIGKILL, patience=20)
    box.up(only_coredms=True)


def test_killed_and_started_again(customer: Customer, coredms_only: Onebox, in_the_load: threading.Event) -> None:
    name = f"{customer.name}-801.csv"
    customer.drop(name, content_of(801))
    during_a_load(customer, name, in_the_load, lambda: kill_and_start_again(coredms_only))
    recover(customer, seconds=60)
    assert the_record(customer, name).state == "committed"
    assert len(rows_of(customer, 801)) == ROWS
    assert len(customer.receipts(name)) == 1
    customer.at_rest()


STEPS = {
    "before a claimed file leaves the inbox": (intake, 802),
    "before the customer is told of a verdict": (record, 803),
}


@pytest.mark.parametrize("step", STEPS)
def test_killed_right_before_a_step_that_cannot_be_taken_back(
    customer: Customer, coredms_only: Onebox, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    module, number = STEPS[step]
    name = f"{customer.name}-{number}.csv"
    customer.drop(name, content_of(number))
    waits = []

    async def until_durable(session: Any, life: Life) -> None:
        if not waits:
            kill_and_start_again(coredms_only)
        waits.append(life)
        await really_until_durable(session, life)

    monkeypatch.setattr(module, "until_durable", until_durable)
    with pytest.raises(TransientError, match=r"COREDMS_(RESTARTED|UNREACHABLE)"):
        customer.run("cut off")
    assert (name in customer.inbox()) is (module is intake)
    assert customer.receipts(name) == []
    recover(customer, seconds=60)
    assert the_record(customer, name).state == "committed"
    assert len(rows_of(customer, number)) == ROWS
    assert len(customer.receipts(name)) == 1
    customer.at_rest()
