"""Who is served, and how a switch is shown; no service is needed."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from tests.scenarios.customers import tenant_facts

from mysimbdp.airflow_api import AirflowApi
from mysimbdp.batchingestmanager.switchboard import Switchboard
from mysimbdp.connections import Connection
from mysimbdp.landing.layout import Landing
from mysimbdp.ledger.switches import Standing, Switch
from mysimbdp.settings import Settings
from mysimbdp.tenants.model import Tenant

ACME = Tenant.model_validate(tenant_facts("acme"))
OFF = Switch("acme", Standing.DISABLED, "invoice 7", datetime(2026, 11, 25, 12, tzinfo=UTC))


class Airflow:
    """Keeps what runs it was asked for, and answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.runs: list[dict[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/token":
            return httpx.Response(201, json={"access_token": "token"})
        self.runs.append(json.loads(request.content))
        return httpx.Response(self.status, json={})

    def show(self, board: Switchboard) -> list[str]:
        async def work() -> list[str]:
            conn = Connection(host="127.0.0.1", port=1, login="admin", password="secret")
            async with AirflowApi(conn, transport=httpx.MockTransport(self)) as api:
                return await board.show([ACME], api)

        return asyncio.run(work())


@pytest.mark.parametrize(
    ("switch", "takes_files", "is_there"),
    [
        (None, True, True),
        (OFF, False, True),
        (replace(OFF, state=Standing.REMOVING), False, False),
        (replace(OFF, state=Standing.REMOVED), False, False),
    ],
)
def test_who_is_served(switch: Switch | None, takes_files: bool, is_there: bool, tmp_path: Path) -> None:
    board = Switchboard(Settings(home=tmp_path))
    assert not board.takes_files("acme"), "nothing is known yet"
    assert not board.is_there("acme")
    board.update({"acme": switch} if switch else {})
    assert (board.takes_files("acme"), board.is_there("acme")) == (takes_files, is_there)
    assert board.takes_files("another")


def test_a_switch_is_shown_once_by_a_run_and_a_notice_until_it_is_turned_back(tmp_path: Path) -> None:
    settings, airflow = Settings(home=tmp_path), Airflow()
    landing = Landing(settings, "acme")
    landing.ensure()
    (landing.inbox / "waits.csv").touch()
    board = Switchboard(settings)
    board.update({"acme": OFF})

    airflow.status = 404  # Airflow has not read the DAG yet
    assert any("cannot be shown" in line for line in airflow.show(board))
    airflow.status = 200
    for _ in range(2):
        assert airflow.show(board) == [f"1 file(s) of acme wait: {OFF.problem.what}"]
    assert [run["dag_run_id"] for run in airflow.runs] == ["disabled__2026-11-25T12:00:00.000000"] * 2
    assert "invoice 7" in airflow.runs[-1]["note"]
    assert "invoice 7" in landing.notice.read_text()

    board.update({})
    assert airflow.show(board) == []
    assert not landing.notice.exists()


def test_a_tenant_that_was_removed_is_not_shown_and_nothing_of_it_is_made_again(tmp_path: Path) -> None:
    airflow, board = Airflow(), Switchboard(Settings(home=tmp_path))
    board.update({"acme": replace(OFF, state=Standing.REMOVED)})
    assert airflow.show(board) == []
    assert airflow.runs == []
    assert list(tmp_path.iterdir()) == []
