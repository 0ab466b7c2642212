"""kill -9 at random moments, of workers, apps and Cassandra, while files keep coming: nothing lost, nothing doubled.

The seed fixes who is killed and after how long a wait. MYSIMBDP_TEST_KILLS says how many kills: a short run in
`make test`, the long one in `make test-long`.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from typing import Any

import psutil
import pytest
from tests.scenarios.customers import Customer, in_ledger

from mysimbdp.onebox import cassandra, process
from mysimbdp.onebox.onebox import Onebox

from . import victim
from .conftest import KEYED, recover

SEED = 20261125
KILLS = int(os.environ.get("MYSIMBDP_TEST_KILLS", "20"))
WORKERS = 2
ROWS = 700
LONGEST_LIFE_SECONDS = 2.5
DEATHS = {"worker": 70, "app": 25, "cassandra": 5}
"""Who dies how often, in percent; among the last two kills Cassandra is one for sure."""

pytestmark = [pytest.mark.onebox, pytest.mark.timeout(120 + 12 * KILLS)]


@dataclass
class Drops:
    """The files that were dropped, and what each holds. Every fifth repeats an earlier one's bytes."""

    customer: Customer
    chance: random.Random
    numbers: dict[str, int] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)
    _names: Any = field(default_factory=itertools.count)

    def one(self) -> None:
        number = next(self._names)
        name = f"{self.customer.name}-{number}.csv"
        if number % 5 == 4:
            number = self.chance.randrange(number)
        if number % 5 == 3:
            self.bad.add(name)
            self.customer.drop(name, f"id,word\nx,{number}\n")
        else:
            lines = (f"{number * 1000 + row},w{number}\n" for row in range(ROWS))
            self.customer.drop(name, "id,word\n" + "".join(lines))
        self.numbers[name] = number


def test_whatever_is_killed_nothing_is_lost_and_nothing_doubled(reader: Any, coredms_only: Onebox) -> None:
    chance = random.Random(SEED)  # noqa: S311  # a test's plan, no secret
    customer = Customer.make(reader, tables=KEYED, batch={"max_attempts": 10})
    drops = Drops(customer, chance)
    workers = [_start(customer) for _ in range(WORKERS)]
    killed: Counter[str] = Counter()
    try:
        for kill in range(KILLS):
            drops.one()
            time.sleep(chance.uniform(0, LONGEST_LIFE_SECONDS))
            who = chance.choices(list(DEATHS), list(DEATHS.values()))[0]
            if kill == KILLS - 2 and not killed["cassandra"]:
                who = "cassandra"
            killed[_DEATHS[who](workers[kill % WORKERS], coredms_only)] += 1
            workers = [one if one.is_alive() else _start(customer) for one in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.join(10)
    assert killed.total() == KILLS
    assert killed["worker"]
    assert killed["cassandra"]
    recover(customer, seconds=120)
    _nothing_is_lost_and_nothing_doubled(customer, drops)


def _nothing_is_lost_and_nothing_doubled(customer: Customer, drops: Drops) -> None:
    records = {record.name: record for record in customer.records()}
    assert set(records) == set(drops.numbers)
    assert len(customer.records()) == len(records), "one record for each drop"
    landed = Counter(row["id"] // 1000 for row in customer.rows())
    contents: dict[int, list[str]] = {}
    for name, number in drops.numbers.items():
        contents.setdefault(number, []).append(str(records[name].state))
    for number, states in contents.items():
        is_bad = number % 5 == 3
        # An app that was killed ten times fails its file; then, and only then, the same bytes are taken once more.
        assert Counter(states)["committed"] == (0 if is_bad else 1), f"{number}: {states}"
        assert landed[number] == (0 if is_bad else ROWS)
    assert sum(record.rows_written for record in records.values()) == len(customer.rows())
    customer.at_rest()


def _start(customer: Customer) -> BaseProcess:
    return victim.spawn(_work, dict(os.environ), customer.tenant.model_dump(by_alias=True))


def _work(environment: dict[str, str], facts: dict[str, Any]) -> None:
    """Run after run, as the watcher would ring for them, until somebody kills this process."""
    customer = victim.wake(environment, facts)
    while True:
        try:
            pending = in_ledger(lambda ledger: ledger.arrivals.pending(customer.name))
            customer.run(f"worker {os.getpid()} {time.time_ns()}", wanted={str(item.ref.ingest_id) for item in pending})
        except Exception:  # noqa: BLE001  # coredms is away, or the other worker was quicker: the next run tells
            time.sleep(0.2)
        time.sleep(0.05)


def _kill_the_worker(worker: BaseProcess, box: Onebox) -> str:
    worker.kill()
    worker.join(10)
    return "worker"


def _kill_its_app(worker: BaseProcess, box: Onebox) -> str:
    """An app lives for a moment only: wait for one, and kill the worker if none comes."""
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        try:
            apps = psutil.Process(worker.pid).children(recursive=True)
            for app in apps:
                app.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
        if apps:
            return "app"
        time.sleep(0.005)
    return _kill_the_worker(worker, box)


def _kill_cassandra(worker: BaseProcess, box: Onebox) -> str:
    process.stop(cassandra.NAME, box.home, how=signal.SIGKILL, patience=20)
    box.up(only_coredms=True)
    return "cassandra"


_DEATHS: dict[str, Callable[[BaseProcess, Onebox], str]] = {
    "worker": _kill_the_worker,
    "app": _kill_its_app,
    "cassandra": _kill_cassandra,
}
