"""drop → rows queryable, through a live Airflow, with few and with many tenants; and what it costs at rest."""

from __future__ import annotations

import asyncio
import itertools
import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import acsylla
import psutil

from mysimbdp.batchingestmanager.direct import ingest_directly
from mysimbdp.bench.deployment import deployment, use
from mysimbdp.bench.stats import summary
from mysimbdp.bench.tenants import machine, write_events, write_tenants
from mysimbdp.coredms.schema import apply_tenant
from mysimbdp.landing.layout import Landing
from mysimbdp.ledger.ledger import Ledger, open_ledger
from mysimbdp.ledger.states import State
from mysimbdp.onebox import airflow, postgres, process
from mysimbdp.settings import settings
from mysimbdp.tenants.store import load_tenant

ROWS = 1000
WARM_UP_DROPS = 4
POLL_SECONDS = 0.025
DROP_LIMIT_SECONDS = 120
START_LIMIT_SECONDS = 90
BUSY_TENANTS = 10
"""Files are dropped for these in turn; the others are there to be watched."""

Tell = Callable[[str], None]


def measure(tenant_counts: list[int], *, drops: int, rest_seconds: float, home: Path, tell: Tell) -> dict[str, Any]:
    """Measure for each number of tenants in a onebox of its own below `home`; it is stopped at the end.

    Raises:
        TerminalError, TransientError: a service does not start, or a drop did not land within its limit.
    """
    results = []
    for count in tenant_counts:
        tenants = f"tenants-{count}"
        names = write_tenants(home / tenants, count)
        onebox = deployment(home, tenants)
        tell(f"{count} tenants: starting")
        onebox.up()
        try:
            use(onebox)
            for name in names[:BUSY_TENANTS]:
                apply_tenant(load_tenant(settings().tenants_dir, name))
            results.append(asyncio.run(_measure_one(names, drops, rest_seconds, home, tell)))
        finally:
            onebox.down()
    return {"machine": machine(), "rows_per_drop": ROWS, "results": results}


async def _measure_one(names: list[str], drops: int, rest_seconds: float, home: Path, tell: Tell) -> dict[str, Any]:
    async with open_ledger() as ledger:
        ids = itertools.count(int(time.time()) * 1_000_000, ROWS)
        turns = itertools.cycle(names[:BUSY_TENANTS])
        tell(f"{len(names)} tenants: warming up")
        await _wait_for_watcher(names)
        for _ in range(WARM_UP_DROPS):
            await _drop(ledger, next(turns), next(ids))
        waits = []
        for number in range(drops):
            tell(f"{len(names)} tenants: drop {number + 1} of {drops}")
            waits.append(await _drop(ledger, next(turns), next(ids)))
            await asyncio.sleep(0.3 + (number % 7) / 10)  # not in step with any loop of Airflow's
        alone = [await _direct(ledger, names[0], next(ids)) for _ in range(max(5, drops // 4))]
        await asyncio.sleep(10)  # the last runs come to rest
        tell(f"{len(names)} tenants: at rest")
        rest = await asyncio.to_thread(_cpu_at_rest, home, rest_seconds)
    return {
        "tenants": len(names),
        "drop_to_queryable_seconds": summary(waits),
        "peer_ingest_without_airflow_seconds": summary(alone),
        "airflow_and_postgresql_at_rest": rest,
    }


async def _wait_for_watcher(names: list[str]) -> None:
    deadline = time.monotonic() + START_LIMIT_SECONDS
    inboxes = [Landing(settings(), name).inbox for name in names]
    while not all(inbox.exists() for inbox in inboxes):
        if time.monotonic() > deadline:
            raise TimeoutError("watch_inboxes did not make the inboxes")
        await asyncio.sleep(0.2)


async def _drop(ledger: Ledger, tenant: str, first_id: int) -> float:
    """Drop one file; seconds until its last row is there, after which all of them are counted."""
    inbox = Landing(settings(), tenant).inbox
    draft = inbox / f".events-{first_id}.csv"
    write_events(draft, first_id=first_id, rows=ROWS)
    started = time.monotonic()
    draft.rename(inbox / f"events-{first_id}.csv")
    ids = list(range(first_id, first_id + ROWS))
    while True:
        if await _count(ledger, tenant, ids[-1:]):
            waited = time.monotonic() - started
            break
        if time.monotonic() - started > DROP_LIMIT_SECONDS:
            raise TimeoutError(f"the drop of {tenant} did not land within {DROP_LIMIT_SECONDS} s")
        await asyncio.sleep(POLL_SECONDS)
    await _check(ledger, tenant, ids)
    return waited


async def _check(ledger: Ledger, tenant: str, ids: list[int]) -> None:
    # Rows come in several batches: the last ones may be there a moment before the others.
    for _ in range(100):
        if await _count(ledger, tenant, ids) == len(ids):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{tenant}: not all of {len(ids)} rows are in the table")


async def _count(ledger: Ledger, tenant: str, ids: list[int]) -> int:
    cql = f"SELECT id FROM tenant_{tenant}.events WHERE id IN ({','.join(map(str, ids))})"
    result = await ledger.session.execute(acsylla.create_statement(cql, page_size=len(ids) + 1))
    return int(result.count())


async def _direct(ledger: Ledger, tenant: str, first_id: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"events-{first_id}.csv"
        write_events(path, first_id=first_id, rows=ROWS)
        started = time.monotonic()
        known = load_tenant(settings().tenants_dir, tenant)
        record = await ingest_directly(ledger, known, path, logging.getLogger(__name__))
        if record.state is not State.COMMITTED:
            raise AssertionError(str(record.problem))
        return time.monotonic() - started


def _cpu_at_rest(home: Path, seconds: float) -> dict[str, float]:
    """CPU of all Airflow and PostgreSQL processes over `seconds`, in percent of one core, and their memory."""
    names = (*airflow.COMPONENTS, postgres.NAME)
    before = {name: _cpu_seconds(home, name) for name in names}
    time.sleep(seconds)
    used = {name: round(100 * (_cpu_seconds(home, name) - before[name]) / seconds, 1) for name in names}
    return {**used, "total_percent_of_a_core": round(sum(used.values()), 1)}


def _cpu_seconds(home: Path, name: str) -> float:
    total = 0.0
    for member in process.family(home, name):
        try:
            times = member.cpu_times()
        except psutil.NoSuchProcess:
            continue
        # Of children only those already gone: the living are counted themselves.
        total += times.user + times.system + times.children_user + times.children_system
    return total
