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


@dataclass(frozen=True, slots=True)
class Names:
    """What a tenant's things are called, also where its file is gone. `tenant` is checked by Landing."""

    tenant: str

    @property
    def keyspace(self) -> str:
        """As Tenant.keyspace."""
        return f"tenant_{self.tenant}"

    @property
    def pool(self) -> str:
        """As Tenant.pool."""
        return f"tenant_{self.tenant}"

    @property
    def dag_id(self) -> str:
        """As Tenant.dag_id."""
        return f"batch_{self.tenant}"


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
        "logs": logs_of(settings, Names(tenant).dag_id),
    }


async def holdings(ledger: Ledger, api: AirflowApi, settings: Settings, tenant: str) -> list[Holding]:
    """What there is of the tenant, in the order in which it is removed; nothing of any other is looked at.

    Raises:
        TerminalError: TENANT_UNKNOWN when it is no tenant id; AIRFLOW_REFUSED, COREDMS_REFUSED.
        TransientError: AIRFLOW_UNREACHABLE, COREDMS_UNREACHABLE, COREDMS_OVERLOADED.
    """
    folders = folders_of(settings, tenant)
    found = await _in_airflow(api, Names(tenant))
    found += await asyncio.to_thread(_on_disk, folders)
    tables = await asyncio.to_thread(tables_of, Names(tenant).keyspace)
    if tables or Names(tenant).keyspace in await ledger.keyspaces():
        found.append(Holding("keyspace", Names(tenant).keyspace, len(tables), sum(tables.values())))
    rows = await ledger.erasure.rows(tenant)
    return found + [Holding("ledger", f"{LEDGER_KEYSPACE}.{table}", count) for table, count in rows.items()]


async def _in_airflow(api: AirflowApi, names: Names) -> list[Holding]:
    dag = DagRuns(api, names.dag_id)
    found = []
    if await dag.dag_exists():
        found.append(Holding("dag", f"{names.dag_id} and its runs", (await dag.find()).total))
    if await pool_exists(api, names.pool):
        found.append(Holding("pool", names.pool, 1))
    return found


def _on_disk(folders: dict[str, Path]) -> Sequence[Holding]:
    found = []
    for kind, folder in folders.items():
        if folder.is_symlink() or folder.exists():
            # the landing folder's own three are counted one by one
            files, size = size_of(folder) if kind != "landing" else (0, 0)
            found.append(Holding(kind, str(folder), files, size))
    return found
