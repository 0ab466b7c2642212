"""Old runs of a DAG: their rows in Airflow's database, and the logs of their tasks on disk."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime, timedelta
from pathlib import Path

from mysimbdp.airflow_api import AirflowApi
from mysimbdp.housekeeping.dagruns import ENDED, DagRuns
from mysimbdp.housekeeping.retention import MOST_AT_ONCE, Pruned
from mysimbdp.housekeeping.traces import remove, size_of
from mysimbdp.settings import Settings


def logs_of(settings: Settings, dag_id: str) -> Path:
    """Where Airflow puts the task logs of a DAG, one folder a run."""
    return settings.logs_dir / "airflow" / f"dag_id={dag_id}"


async def prune_runs(
    api: AirflowApi, tenant: str, dag_id: str, days: int, moment: datetime, *, dry_run: bool = False
) -> Pruned:
    """Remove runs that ended more than `days` before `moment`, the oldest first."""
    runs, before = DagRuns(api, dag_id), moment - timedelta(days=days)
    found = await runs.find(ENDED, ended_before=before)
    if dry_run:
        return Pruned(tenant, "runs", days, min(found.total, MOST_AT_ONCE), more=found.total > MOST_AT_ONCE)
    count = 0
    while found.first and count < MOST_AT_ONCE:
        removed = sum([await runs.delete(run_id) for run_id in found.first])
        if not removed:
            break  # all of them were started again meanwhile
        count += removed
        found = await runs.find(ENDED, ended_before=before)
    return Pruned(tenant, "runs", days, count, more=bool(found.first))


async def prune_logs(
    settings: Settings, tenant: str, dag_id: str, days: int, moment: datetime, *, dry_run: bool = False
) -> Pruned:
    """Remove the log folders of runs to which nothing was written for `days` before `moment`, the oldest first."""
    before = (moment - timedelta(days=days)).timestamp()
    due = await asyncio.to_thread(_quiet_since, logs_of(settings, dag_id), before)
    size = 0
    for folder in due[:MOST_AT_ONCE]:
        size += (await asyncio.to_thread(size_of, folder))[1]
        if not dry_run:
            await asyncio.to_thread(remove, folder)
    return Pruned(tenant, "logs", days, len(due[:MOST_AT_ONCE]), size, more=len(due) > MOST_AT_ONCE)


def _quiet_since(logs: Path, before: float) -> list[Path]:
    try:
        with os.scandir(logs) as entries:
            written = [(_last_write(Path(entry.path)), Path(entry.path)) for entry in entries]
    except FileNotFoundError:
        return []
    return [folder for moment, folder in sorted(written) if moment < before]


def _last_write(folder: Path) -> float:
    """When anything below `folder` was last written to, in seconds since 1970."""
    latest = folder.lstat().st_mtime
    for place, _folders, files in os.walk(folder):
        latest = max([latest, *(os.lstat(Path(place) / name).st_mtime for name in files)])
    return latest
