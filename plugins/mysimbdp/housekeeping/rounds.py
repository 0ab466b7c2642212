"""One round of housekeeping over all tenants; a fault of one tenant is raised once the others had their turn."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from datetime import datetime

from mysimbdp.airflow_api import AirflowApi
from mysimbdp.audit import Discrepancy, audit_tenant
from mysimbdp.errors import Code, MysimbdpError
from mysimbdp.housekeeping.leftovers import leftovers
from mysimbdp.housekeeping.retention import Pruned, Retention
from mysimbdp.housekeeping.runlogs import prune_logs, prune_runs
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.switches import Standing
from mysimbdp.settings import Settings
from mysimbdp.tenants.retention import Retention as Defaults
from mysimbdp.tenants.store import load_tenants

OWN_DAGS = ("watch_inboxes", "housekeeping_audit", "housekeeping_retention")
NO_TENANT = ""
NO_AIRFLOW = frozenset({Code.AIRFLOW_UNREACHABLE, Code.CONNECTION_MISSING})


async def audit_round(ledger: Ledger, settings: Settings) -> AsyncIterator[Discrepancy]:
    """Whatever the audit finds wrong with any tenant the ledger knows, then what is left of tenants that are gone."""
    for tenant in await ledger.arrivals.tenants():
        for discrepancy in (await audit_tenant(ledger, settings, tenant)).discrepancies:
            yield discrepancy
    for discrepancy in await leftovers(ledger, settings):
        yield discrepancy


async def retention_round(
    ledger: Ledger,
    settings: Settings,
    moment: datetime,
    log: logging.Logger,
    *,
    only: Collection[str] = (),
    dry_run: bool = False,
) -> AsyncIterator[Pruned]:
    """What was removed of each tenant (of `only` those), and of the platform's own runs; as of `moment` (UTC).

    A tenant whose file is broken is left as it is: nobody knows what it wants to keep. Without Airflow its runs are.
    """
    store = await asyncio.to_thread(load_tenants, settings.tenants_dir)
    for name, problems in store.broken.items():
        if name in only or not only:
            log.warning("%s is left as it is: %s", name, problems[0])
    await _drop_switches(ledger, {*store.valid, *store.broken}, dry_run=dry_run)
    tenants = [tenant for name, tenant in store.valid.items() if name in only or not only]
    dags = [(tenant.tenant, tenant.dag_id, tenant.retention.logs_days) for tenant in tenants]
    dags += [(NO_TENANT, dag_id, Defaults().logs_days) for dag_id in OWN_DAGS if not only]
    faults: list[MysimbdpError] = []
    for tenant in tenants:
        try:
            async for pruned in Retention(ledger, settings, tenant, moment, dry_run=dry_run).prune():
                yield pruned
        except MysimbdpError as fault:
            log.warning("%s is not done: %s", tenant.tenant, fault)
            faults.append(fault)
    for name, dag_id, days in dags:
        yield await prune_logs(settings, name, dag_id, days, moment, dry_run=dry_run)
    try:
        async with AirflowApi() as api:
            for name, dag_id, days in dags:
                yield await prune_runs(api, name, dag_id, days, moment, dry_run=dry_run)
    except MysimbdpError as fault:
        if fault.problem.code not in NO_AIRFLOW:
            raise
        log.warning("runs are left as they are: %s", fault)
    if faults:
        raise faults[0]


async def _drop_switches(ledger: Ledger, with_file: set[str], *, dry_run: bool) -> None:
    """A removed tenant's switch kept its file from bringing it back; without the file there is nothing to keep."""
    for name, switch in (await ledger.switches.all()).items():
        if switch.state is Standing.REMOVED and name not in with_file and not dry_run:
            await ledger.switches.move(name, None, allowed=[Standing.REMOVED])
