"""A tenant file takes effect without a restart: new, changed and removed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mysimbdp.connections import AIRFLOW, connection
from mysimbdp.onebox.onebox import Onebox
from mysimbdp.settings import REPOSITORY

pytestmark = [pytest.mark.onebox, pytest.mark.airflow]

TENANT = "pickedup"
PROMISED_SECONDS = 30


@pytest.fixture
def tenant_file(onebox: Onebox) -> Iterator[Path]:
    folder = onebox.home / "tenants" / TENANT
    folder.mkdir(parents=True)
    yield folder / "tenant.yaml"
    shutil.rmtree(folder, ignore_errors=True)


def _dag() -> dict[str, Any] | None:
    """The tenant's DAG as Airflow knows it now."""
    found = connection(AIRFLOW)
    address = f"{found.schema}://{found.host}:{found.port}"
    login = {"username": found.login, "password": found.password}
    token = httpx.post(f"{address}/auth/token", json=login).raise_for_status().json()["access_token"]
    query = {"dag_id_pattern": f"batch_{TENANT}"}
    answer = httpx.get(f"{address}/api/v2/dags", params=query, headers={"Authorization": f"Bearer {token}"})
    dags: list[dict[str, Any]] = answer.raise_for_status().json()["dags"]
    return dags[0] if dags else None


def _seconds_until(true: Callable[[dict[str, Any] | None], bool], at_most: float) -> float:
    began = time.monotonic()
    while not true(_dag()):
        assert time.monotonic() - began < at_most, f"not seen within {at_most} s; Airflow knows {_dag()}"
        time.sleep(0.5)
    return time.monotonic() - began


def test_a_new_tenant_a_changed_one_and_a_removed_one_are_seen_in_time(tenant_file: Path) -> None:
    whole = (REPOSITORY / "tenants" / "atlas" / "tenant.yaml").read_text().replace("tenant: atlas", f"tenant: {TENANT}")
    tenant_file.write_text(whole)
    _seconds_until(lambda dag: dag is not None and not dag["is_paused"], PROMISED_SECONDS)

    tenant_file.write_text(whole + "\nno_such_key: 1\n")
    _seconds_until(lambda dag: dag is not None and "no_such_key" in (dag["description"] or ""), PROMISED_SECONDS)

    shutil.rmtree(tenant_file.parent)
    _seconds_until(lambda dag: dag is None, 4 * PROMISED_SECONDS)
