"""Everything the platform holds of one tenant, counted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mysimbdp.airflow_api import AirflowApi
from mysimbdp.coredms.keyspaces import tables_of
from mysimbdp.housekeeping.dagruns import DagRuns, pool_exists
from mysimbdp.housekeeping.runlogs import logs_of
from mysimbdp.housekeeping.traces import size_of
from mysimbdp.landing.layout import Landing
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.schema import LEDGER_KEYSPACE
from mysimbdp.settings import Settings
from mysimbdp.tenants.names import dag_id_of, keyspace_of, pool_of


@dataclass(frozen=True, slots=True)
class Holding:
    """One thing: `count` files, rows, runs, tables; `bytes` where they are known."""

    kind: str
    place: str
    count: int
    bytes: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For tables and JSON."""
        return asdict(self)


def folders_of(settings: Settings, tenant: str) -> dict[str, Path]:
    """The tenant's folders by kind, in the order in which they are removed."""
    landing = Landing(settings, tenant)
    return {
        "inbox": landing.inbox,
        "receipts": landing.receipts,
        "rejected": landing.rejected,
        "landing": landing.inbox.parent,
        "staging": landing.staging_root,
        "archive": landing.archive_root,
        "logs": logs_of(settings, dag_id_of(tenant)),
    }


async def holdings(ledger: Ledger, api: AirflowApi, settings: Settings, tenant: str) -> list[Holding]:
    """What there is of the tenant, in the order in which it is removed; nothing of any other is looked at.

    Raises:
        TerminalError: TENANT_UNKNOWN when it is no tenant id; AIRFLOW_REFUSED, COREDMS_REFUSED.
        TransientError: AIRFLOW_UNREACHABLE, COREDMS_UNREACHABLE, COREDMS_OVERLOADED.
    """
    folders = folders_of(settings, tenant)
    found = await _in_airflow(api, tenant)
    found += await asyncio.to_thread(_on_disk, folders)
    tables = await asyncio.to_thread(tables_of, keyspace_of(tenant))
    if tables or keyspace_of(tenant) in await ledger.keyspaces():
        found.append(Holding("keyspace", keyspace_of(tenant), len(tables), sum(tables.values())))
    rows = await ledger.erasure.rows(tenant)
    return found + [Holding("ledger", f"{LEDGER_KEYSPACE}.{table}", count) for table, count in rows.items()]


async def _in_airflow(api: AirflowApi, tenant: str) -> list[Holding]:
    dag_id, pool = dag_id_of(tenant), pool_of(tenant)
    dag = DagRuns(api, dag_id)
    found = []
    if await dag.dag_exists():
        found.append(Holding("dag", f"{dag_id} and its runs", (await dag.find()).total))
    if await pool_exists(api, pool):
        found.append(Holding("pool", pool, 1))
    return found


def _on_disk(folders: dict[str, Path]) -> Sequence[Holding]:
    found = []
    for kind, folder in folders.items():
        if folder.is_symlink() or folder.exists():
            # the landing folder's own three are counted one by one
            files, size = size_of(folder) if kind != "landing" else (0, 0)
            found.append(Holding(kind, str(folder), files, size))
    return found
