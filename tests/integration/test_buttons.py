"""The buttons of the Airflow UI: whatever an operator presses, the ledger stays balanced and every row lands once."""

from __future__ import annotations

import time

import pytest

from .conftest import Airflow, LiveTenant, wait_for
from .test_batch import SLOW_APP, THREE

pytestmark = [pytest.mark.onebox, pytest.mark.airflow]


def _slow(tenant: LiveTenant) -> None:
    tenant.app("slow", SLOW_APP)
    tenant.write_file(batch={"routes": [{"files": ["*"], "table": "events", "app": "slow"}]})
    time.sleep(3)


def test_trigger_takes_what_is_there(tenant: LiveTenant, airflow: Airflow) -> None:
    dag = f"batch_{tenant.name}"
    assert airflow.wait_for_run(dag, airflow.trigger(dag)) == "success", "an empty inbox is no fault"
    tenant.drop("three.csv", THREE)
    by_hand = airflow.trigger(dag)
    assert tenant.verdict("three.csv").outcome == "committed"
    airflow.wait_for_run(dag, by_hand)
    assert len(tenant.records()) == 1, "taken once, whoever was first"
    assert tenant.is_balanced()


def test_clear_of_a_finished_run(tenant: LiveTenant, airflow: Airflow) -> None:
    dag = f"batch_{tenant.name}"
    tenant.drop("three.csv", THREE)
    tenant.verdict("three.csv")
    [run] = wait_for("the run's end", lambda: [r for r in airflow.runs(dag) if r["state"] == "success"])
    airflow.call(
        "POST", f"/dags/{dag}/clearTaskInstances", dry_run=False, dag_run_id=run["dag_run_id"], only_failed=False
    )
    time.sleep(1)
    assert airflow.wait_for_run(dag, run["dag_run_id"]) == "success"
    assert len(tenant.records()) == 1
    assert tenant.rows() == {1: "one", 2: "two", 3: "three"}
    assert tenant.is_balanced()


@pytest.mark.parametrize("task", ["validate", "ingest"])
def test_mark_success_of(task: str, tenant: LiveTenant, airflow: Airflow) -> None:
    _slow(tenant)
    dag = f"batch_{tenant.name}"
    name = f"{task}.csv"
    tenant.drop(name, f"id,word\n1,slow\n2,{task}\n")
    [run] = wait_for("its run", lambda: airflow.runs(dag)[:1])
    path = f"/dags/{dag}/dagRuns/{run['dag_run_id']}/taskInstances"
    if task == "ingest":
        wait_for("the ingest", lambda: [one for one in tenant.records() if one.state == "ingesting"])
        airflow.call("PATCH", f"{path}/ingest/0", new_state="success")
    else:
        airflow.call("PATCH", f"{path}/validate", new_state="success")
    receipt = tenant.verdict(name)
    assert receipt.outcome == "committed", "the watcher rang again for what was left behind"
    assert tenant.rows() == {1: "slow", 2: task}
    assert tenant.is_balanced()


def test_pause_lets_files_wait(tenant: LiveTenant, airflow: Airflow) -> None:
    dag = f"batch_{tenant.name}"
    airflow.call("PATCH", f"/dags/{dag}", is_paused=True)
    tenant.drop("three.csv", THREE)
    wait_for("the queued run", lambda: [run for run in airflow.runs(dag) if run["state"] == "queued"])
    assert tenant.records() == []
    airflow.call("PATCH", f"/dags/{dag}", is_paused=False)
    assert tenant.verdict("three.csv").outcome == "committed"
    assert tenant.is_balanced()
