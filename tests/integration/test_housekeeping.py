"""A tenant's standing, retention and the daily DAGs, on the live platform."""

from __future__ import annotations

import asyncio
import json
import shutil
import uuid
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from cassandra.cluster import Session
from tests.housekeeping.conftest import everything_of
from typer.testing import CliRunner

from mysimbdp.airflow_api import AirflowApi
from mysimbdp.cli.app import build
from mysimbdp.coredms.hook import hook_session
from mysimbdp.errors import Exit, TerminalError
from mysimbdp.housekeeping.dagruns import pool_exists
from mysimbdp.housekeeping.runlogs import logs_of, prune_logs, prune_runs
from mysimbdp.ledger.files import now
from mysimbdp.onebox.onebox import Onebox
from mysimbdp.settings import settings

from .conftest import Airflow, LiveTenant, wait_for

pytestmark = [pytest.mark.onebox, pytest.mark.airflow]

Result = TypeVar("Result")
SWITCHED, REMOVED, NEIGHBOUR = NAMES = tuple(f"{word}_{uuid.uuid4().hex[:8]}" for word in ("off", "gone", "stays"))


@pytest.fixture(scope="module")
def tenants(onebox: Onebox, airflow: Airflow) -> Iterator[dict[str, LiveTenant]]:
    """Three at once: a new tenant takes Airflow as long as three."""
    found = {name: LiveTenant(name) for name in NAMES}
    for tenant in found.values():
        tenant.write_file()
    for name in NAMES:
        wait_for(f"batch_{name}", lambda name=name: airflow.has_dag(f"batch_{name}"))
    yield found
    for name in NAMES:
        shutil.rmtree(settings().tenants_dir / name, ignore_errors=True)


@pytest.fixture(scope="module")
def reader(onebox: Onebox) -> Iterator[Session]:
    with hook_session() as session:
        yield session


def call(*arguments: str) -> Any:
    """A command of ours that is to do well; what it prints as JSON."""
    done = CliRunner().invoke(build(), [*arguments, "--json"])
    assert done.exit_code == Exit.OK, (done.output, done.exception)
    return json.loads(done.stdout)


def ask(question: Callable[[AirflowApi], Awaitable[Result]]) -> Result:
    async def work() -> Result:
        async with AirflowApi() as api:
            return await question(api)

    return asyncio.run(work())


def listed(name: str) -> dict[str, Any]:
    done = CliRunner().invoke(build(), ["tenants", "list", "--json"])  # other tests' broken tenants are listed too
    return next(row for row in json.loads(done.stdout) if row["tenant"] == name)


def test_files_of_a_disabled_tenant_wait_and_are_taken_once_it_is_enabled(
    tenants: dict[str, LiveTenant], airflow: Airflow
) -> None:
    tenant = tenants[SWITCHED]
    dag = f"batch_{tenant.name}"
    assert call("tenants", "disable", tenant.name, "--reason", "invoice 7 is open")["state"] == "disabled"
    shown = wait_for("its run", lambda: [r for r in airflow.runs(dag) if r["dag_run_id"].startswith("disabled__")])
    assert "invoice 7 is open" in shown[0]["note"]
    notice = wait_for("the notice", tenant.landing.notice.exists) and tenant.landing.notice.read_text()
    assert "invoice 7 is open" in notice

    path = tenant.drop("waits.csv", "id,word\n1,one\n")
    assert airflow.wait_for_run(dag, airflow.trigger(dag)) == "success", "also when started by hand"
    direct = CliRunner().invoke(build(), ["ingest", str(path), "--tenant", tenant.name])
    assert isinstance(direct.exception, TerminalError)
    assert "TENANT_DISABLED" in str(direct.exception)
    assert tenant.records() == []
    assert {key: listed(tenant.name)[key] for key in ("state", "reason", "waiting")} == {
        "state": "disabled", "reason": "invoice 7 is open", "waiting": 1,
    }  # fmt: skip

    assert call("tenants", "enable", tenant.name)["state"] == "enabled"
    assert tenant.verdict("waits.csv").outcome == "committed"
    assert tenant.is_balanced()
    wait_for("the notice's end", lambda: not tenant.landing.notice.exists())
    assert listed(tenant.name)["state"] == "enabled"


def test_old_runs_and_their_logs_go_and_the_tenant_goes_on(tenants: dict[str, LiveTenant], airflow: Airflow) -> None:
    tenant = tenants[SWITCHED]
    dag, later = f"batch_{tenant.name}", now() + timedelta(days=31)
    tenant.drop("before.csv", "id,word\n2,two\n")
    tenant.verdict("before.csv")
    runs = wait_for("ends", lambda: all(r["state"] == "success" for r in airflow.runs(dag)) and airflow.runs(dag))
    assert ask(lambda api: prune_runs(api, tenant.name, dag, 30, now())).count == 0
    planned = ask(lambda api: prune_runs(api, tenant.name, dag, 30, later, dry_run=True))
    assert ask(lambda api: prune_runs(api, tenant.name, dag, 30, later)) == planned
    assert planned.count == len(runs)
    assert airflow.runs(dag) == []
    assert asyncio.run(prune_logs(settings(), tenant.name, dag, 30, now())).count == 0
    assert asyncio.run(prune_logs(settings(), tenant.name, dag, 30, later)).count == len(runs)
    tenant.drop("after.csv", "id,word\n3,three\n")
    assert tenant.verdict("after.csv").outcome == "committed"
    assert tenant.is_balanced()


def test_the_daily_dags_run_and_the_audit_is_red_over_what_is_left_of_a_tenant(
    tenants: dict[str, LiveTenant], airflow: Airflow
) -> None:
    ghost = settings().archive_dir / "upkeep_ghost"
    ghost.mkdir(parents=True, exist_ok=True)
    for dag in ("housekeeping_retention", "housekeeping_audit"):
        wait_for(dag, lambda dag=dag: airflow.has_dag(dag))
        scheduled = [run for run in airflow.runs(dag) if run["run_type"] == "scheduled"]
        assert all(run["run_after"][11:16] in {"02:47", "04:17"} for run in scheduled), "not at once after the start"
    retention, audit = airflow.trigger("housekeeping_retention"), airflow.trigger("housekeeping_audit")
    assert airflow.wait_for_run("housekeeping_retention", retention) == "success"
    assert airflow.wait_for_run("housekeeping_audit", audit) == "failed"
    ghost.rmdir()
    log = airflow.get(f"/dags/housekeeping_audit/dagRuns/{audit}/taskInstances/audit/logs/1?full_content=true")
    assert str(ghost) in str(log)


def test_one_of_two_is_removed_and_the_other_stays_as_it_was(
    tenants: dict[str, LiveTenant], airflow: Airflow, reader: Session
) -> None:
    tenant, other = tenants[REMOVED], tenants[NEIGHBOUR]
    for each in (tenant, other):
        each.drop("good.csv", f"id,word\n1,{each.name}\n")
        each.drop("bad.csv", f"word\n{each.name}\n")
    for each in (tenant, other):
        assert (each.verdict("good.csv").outcome, each.verdict("bad.csv").outcome) == ("committed", "rejected")
    dag, dag_of_other = f"batch_{tenant.name}", f"batch_{other.name}"
    wait_for("their ends", lambda: all(r["state"] == "success" for r in airflow.runs(dag_of_other)))
    before = (everything_of(reader, other.name), airflow.runs(dag_of_other), airflow.get(f"/pools/tenant_{other.name}"))

    planned = {one["kind"]: one for one in call("tenants", "remove", tenant.name, "--dry-run")["holdings"]}
    assert planned["dag"]["count"] >= 1
    assert planned["receipts"]["count"] == 2
    assert tenant.is_balanced(), "a dry run removes nothing"
    done = call("tenants", "remove", tenant.name, "--yes", "--with-file")
    assert done["file"].endswith(f"_removed/{tenant.name}")

    assert {what for what, found in everything_of(reader, tenant.name).items() if found} == set()
    assert not airflow.has_dag(dag)
    assert not ask(lambda api: pool_exists(api, f"tenant_{tenant.name}"))
    assert not logs_of(settings(), dag).exists()
    assert before == (
        everything_of(reader, other.name), airflow.runs(dag_of_other), airflow.get(f"/pools/tenant_{other.name}"),
    )  # fmt: skip
    shutil.rmtree(done["file"])
