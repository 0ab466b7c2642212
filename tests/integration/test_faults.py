"""Services and processes that die in the middle: files wait, go in, and are there once."""

from __future__ import annotations

import os
import signal
import time

import psutil
import pytest

from mysimbdp.onebox import cassandra, process
from mysimbdp.onebox.onebox import Onebox

from .conftest import Airflow, LiveTenant, wait_for
from .test_batch import THREE
from .test_buttons import _slow

pytestmark = [pytest.mark.onebox, pytest.mark.airflow]


def test_coredms_away_and_back(tenant: LiveTenant, onebox: Onebox) -> None:
    tenant.drop("before.csv", THREE)
    assert tenant.verdict("before.csv").outcome == "committed"
    process.stop(cassandra.NAME, onebox.home, how=signal.SIGKILL, patience=20)
    tenant.drop("meanwhile.csv", "id,word\n4,four\n")
    time.sleep(3)
    assert (tenant.landing.inbox / "meanwhile.csv").exists(), "it waits where the customer put it"
    onebox.up()
    assert tenant.verdict("meanwhile.csv").outcome == "committed"
    assert tenant.rows() == {1: "one", 2: "two", 3: "three", 4: "four"}
    assert tenant.is_balanced()


def test_coredms_away_in_the_middle(tenant: LiveTenant, onebox: Onebox) -> None:
    _slow(tenant)
    tenant.drop("slow.csv", "id,word\n1,slow\n2,slow\n")
    wait_for("the ingest", lambda: [one for one in tenant.records() if one.state == "ingesting"])
    process.stop(cassandra.NAME, onebox.home, how=signal.SIGKILL, patience=20)
    time.sleep(2)
    onebox.up()
    assert tenant.verdict("slow.csv").outcome == "committed"
    assert tenant.rows() == {1: "slow", 2: "slow"}
    assert tenant.is_balanced()


def test_kill_9_of_the_task(tenant: LiveTenant, onebox: Onebox) -> None:
    _slow(tenant)
    tenant.drop("slow.csv", "id,word\n1,slow\n2,slow\n")
    wait_for("the ingest", lambda: [one for one in tenant.records() if one.state == "ingesting"])
    victims = [member for member in process.family(onebox.home) if _is_task(member)]
    assert victims, "the task's process was not found"
    for victim in victims:
        os.kill(victim.pid, signal.SIGKILL)
    assert tenant.verdict("slow.csv").outcome == "committed"
    assert len(tenant.receipts("slow.csv")) == 1
    assert tenant.rows() == {1: "slow", 2: "slow"}
    assert tenant.is_balanced()


@pytest.mark.parametrize("component", ["airflow-triggerer", "airflow-scheduler"])
def test_kill_9_of(component: str, tenant: LiveTenant, onebox: Onebox, airflow: Airflow) -> None:
    process.stop(component, onebox.home, how=signal.SIGKILL, patience=20)
    tenant.drop(f"{component}.csv", f"id,word\n5,{component}\n")
    onebox.up()
    assert tenant.verdict(f"{component}.csv").outcome == "committed"
    assert tenant.is_balanced()


def _is_task(member: psutil.Process) -> bool:
    """The worker that runs a task, its supervisor, the task itself, and the app and launcher below it.

    Not an idle worker: it waits for work with the lock of its queue in its hands, and a LocalExecutor whose idle
    worker was killed starts no task any more until the scheduler is restarted.
    """
    try:
        words = " ".join(member.cmdline())
    except psutil.Error:
        return False
    busy = words.startswith("airflow worker") and "<idle>" not in words
    return busy or words.startswith("airflow task") or "app.py" in words or "launch.py" in words
