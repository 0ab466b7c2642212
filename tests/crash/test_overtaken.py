"""A worker that was only asleep wakes up after another has taken its file over: it changes nothing any more."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.scenarios.customers import Customer

from . import victim
from .conftest import recover
from .test_points import ROWS, content_of, rows_of, the_record

pytestmark = pytest.mark.onebox

ASLEEP = {
    "after the lease": victim.LEASED,
    "after begin": victim.BEGUN,
    "while the app runs": victim.IN_THE_APP,
    "in the middle of the load": victim.IN_THE_LOAD,
    "before finish": victim.LOADED,
}


@pytest.mark.parametrize("point", ASLEEP)
def test_a_worker_asleep(customer: Customer, point: str) -> None:
    number = 500 + list(ASLEEP).index(point)
    name = f"{customer.name}-{number}.csv"
    customer.drop(name, content_of(number))
    sleeper = victim.start(customer, replace(ASLEEP[point], how=signal.SIGSTOP), "sleeper")
    assert sleeper.pid is not None
    try:
        _wait_until_stopped(sleeper.pid)
        recover(customer)
        before = the_record(customer, name)
        assert before.state == "committed"
    finally:
        os.kill(sleeper.pid, signal.SIGCONT)
        sleeper.join(60)
    assert sleeper.exitcode == 0
    assert the_record(customer, name) == before
    assert len(rows_of(customer, number)) == ROWS
    assert [receipt.outcome for receipt in customer.receipts(name)] == ["committed"]
    assert len(customer.log_lines(name)) == 1
    recover(customer)  # the sleeper may have made its private folder again
    customer.at_rest()


def _wait_until_stopped(pid: int) -> None:
    deadline = time.monotonic() + 30
    while _state(pid) != "T":
        assert time.monotonic() < deadline, "it never came to the point"
        time.sleep(0.05)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
