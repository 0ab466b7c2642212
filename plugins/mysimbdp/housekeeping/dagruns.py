"""What Airflow keeps of a DAG: its runs, the DAG itself, a pool; read and removed through its REST API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

from mysimbdp.airflow_api import AirflowApi

ENDED = ("success", "failed")
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Runs:
    """How many runs there are, and the ids of the first of them, those that ended first."""

    total: int
    first: tuple[str, ...]


class DagRuns:
    """The runs of one DAG. Faults are those of AirflowApi."""

    def __init__(self, api: AirflowApi, dag_id: str) -> None:
        self._api = api
        self._dag = f"/api/v2/dags/{quote(dag_id, safe='')}"

    async def find(self, states: Sequence[str] = (), *, ended_before: datetime | None = None) -> Runs:
        """Runs in one of `states` (none: all) that ended before a moment; no runs where there is no such DAG."""
        query: list[tuple[str, str | int]] = [("limit", _PAGE), ("order_by", "end_date")]
        query += [("state", state) for state in states]
        if ended_before is not None:
            query.append(("end_date_lte", ended_before.isoformat()))
        response = await self._api.request("GET", f"{self._dag}/dagRuns?{urlencode(query)}", allow={404})
        if response.status_code == 404:
            return Runs(0, ())
        facts = response.json()
        return Runs(int(facts["total_entries"]), tuple(run["dag_run_id"] for run in facts["dag_runs"]))

    async def delete(self, run_id: str) -> bool:
        """Remove an ended run and its task instances; False when it is gone or at work again."""
        response = await self._api.request("DELETE", self._run(run_id), allow={404, 409})
        return response.is_success

    async def fail(self, run_id: str) -> None:
        """End a run: Airflow stops its tasks."""
        await self._api.request("PATCH", self._run(run_id), json={"state": "failed"}, allow={404, 409})

    async def dag_exists(self) -> bool:
        """True while Airflow has the DAG, also one whose file is gone."""
        return (await self._api.request("GET", self._dag, allow={404})).is_success

    async def delete_dag(self) -> bool:
        """Remove the DAG and all that Airflow keeps of it; False while a task of it runs."""
        response = await self._api.request("DELETE", self._dag, allow={404, 409})
        return response.status_code != 409

    def _run(self, run_id: str) -> str:
        return f"{self._dag}/dagRuns/{quote(run_id, safe='')}"


async def pool_exists(api: AirflowApi, name: str) -> bool:
    """True while Airflow has the pool."""
    return (await api.request("GET", f"/api/v2/pools/{quote(name, safe='')}", allow={404})).is_success


async def delete_pool(api: AirflowApi, name: str) -> None:
    """Remove the pool, if it is there."""
    await api.request("DELETE", f"/api/v2/pools/{quote(name, safe='')}", allow={404})
