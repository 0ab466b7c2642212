"""Looks at every tenant's inbox and at what is pending, and rings the tenants' DAGs over Airflow's REST API.

It claims nothing and keeps nothing that matters: killed and started elsewhere, it rings once too often at most.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from datetime import timedelta

from mysimbdp.airflow_api import AirflowApi
from mysimbdp.batchingestmanager.conf import broken_conf, inbox_conf, takeover_conf
from mysimbdp.batchingestmanager.rings import RingBook
from mysimbdp.batchingestmanager.switchboard import Switchboard
from mysimbdp.batchingestmanager.takeovers import TakeoverBook
from mysimbdp.errors import MysimbdpError
from mysimbdp.landing.completeness import Seen, Snapshot, complete_files, scan
from mysimbdp.landing.layout import Landing
from mysimbdp.landing.names import safe_label
from mysimbdp.landing.writers import is_being_written
from mysimbdp.ledger.arrivals import Pending
from mysimbdp.ledger.files import now
from mysimbdp.ledger.identity import arrival_time
from mysimbdp.ledger.ledger import Ledger, open_ledger
from mysimbdp.settings import settings
from mysimbdp.tenants.model import Tenant
from mysimbdp.tenants.store import load_tenants

RELOAD_SECONDS = 2.0
RUN_CHECK_SECONDS = 3.0
PENDING_CHECK_SECONDS = 10.0
COREDMS_RETRY_SECONDS = 3.0
COMPLAINT_SECONDS = 60.0
ENDED = frozenset({None, "success", "failed"})
"""Run states after which nothing more happens by itself; None: Airflow has no such run (any more)."""


class Watcher:
    """Watches all tenants until it is cancelled."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._settings = settings()
        self._tenants: dict[str, Tenant] = {}
        self._snapshots: dict[str, Snapshot] = {}
        self._rings: dict[str, RingBook] = {}
        self._takeovers: dict[str, TakeoverBook] = {}
        self._switchboard = Switchboard(self._settings)
        self._pools: dict[str, int] = {}
        self._told_broken: set[str] = set()
        self._complained: dict[str, float] = {}
        self._ledger: Ledger | None = None
        self._api: AirflowApi | None = None

    async def watch(self) -> None:
        """Run for ever. Faults of a service or of one tenant are logged and outlived."""
        async with AirflowApi() as api, asyncio.TaskGroup() as group:
            self._api = api
            group.create_task(self._keep_ledger())
            group.create_task(self._every(RELOAD_SECONDS, self._reload))
            group.create_task(self._every(self._settings.scan_seconds, self._look))
            group.create_task(self._every(RUN_CHECK_SECONDS, self._check_runs))
            group.create_task(self._every(PENDING_CHECK_SECONDS, self._check_pending))

    async def _every(self, seconds: float, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            started = time.monotonic()
            try:
                await step()
            except MysimbdpError as fault:
                self._complain(str(fault.problem.code), str(fault))
            except Exception as error:  # noqa: BLE001  # one bad step must not end the watch; it is logged
                if self._is_news(f"fault {error!r}"):
                    self._log.exception("a step of the watcher failed; it goes on")
            await asyncio.sleep(max(seconds - (time.monotonic() - started), seconds / 5))

    def _complain(self, about: str, text: str) -> None:
        if self._is_news(about):
            self._log.warning("%s", text)

    def _is_news(self, about: str) -> bool:
        """The same trouble is logged once a minute, not at every look."""
        if time.monotonic() - self._complained.get(about, -COMPLAINT_SECONDS) < COMPLAINT_SECONDS:
            return False
        self._complained[about] = time.monotonic()
        return True

    async def _keep_ledger(self) -> None:
        """Keep one session to coredms open; while there is none, files wait without being rung for."""
        while True:
            try:
                async with AsyncExitStack() as stack:
                    ledger = await stack.enter_async_context(open_ledger())
                    while True:
                        self._switchboard.update(await ledger.switches.all())
                        if self._ledger is None:
                            self._log.info("coredms is reachable")
                        self._ledger = ledger
                        await asyncio.sleep(COREDMS_RETRY_SECONDS)
            except MysimbdpError as fault:
                self._complain("coredms", f"files wait: {fault}")
            self._ledger = None
            await asyncio.sleep(COREDMS_RETRY_SECONDS)

    async def _reload(self) -> None:
        """Notice new, changed, gone, broken and switched-off tenants."""
        store = await asyncio.to_thread(load_tenants, self._settings.tenants_dir)
        served = {name: tenant for name, tenant in store.valid.items() if self._switchboard.is_there(name)}
        for name, tenant in served.items():
            if name not in self._tenants:
                await asyncio.to_thread(Landing(self._settings, name).ensure)
                self._log.info("watching the inbox of %s", name)
            if self._pools.get(name) != tenant.batch.max_parallel_tasks:
                await self._need_api().ensure_pool(
                    tenant.pool, tenant.batch.max_parallel_tasks, f"Tasks of the tenant {name} at once"
                )
                self._pools[name] = tenant.batch.max_parallel_tasks
            self._told_broken.discard(name)
        self._tenants = served
        self._pools = {name: slots for name, slots in self._pools.items() if name in served}
        for line in await self._switchboard.show(served.values(), self._need_api()):
            self._complain(line, line)
        for name, problems in store.broken.items():
            self._complain(f"broken {name}", f"{name} is not watched: {problems[0]}")
            if name not in self._told_broken:
                dag_id, run_id, conf = broken_conf(name, problems)
                await self._need_api().trigger(dag_id, run_id, conf)
                self._told_broken.add(name)

    async def _look(self) -> None:
        """One look at every inbox; a file that two looks agree on is rung for."""
        if self._ledger is None:
            return
        names = [name for name in self._tenants if self._switchboard.takes_files(name)]
        current = await asyncio.to_thread(self._scan_all, names)
        rings = []
        for name in names:
            previous, snapshot = self._snapshots.get(name, Snapshot()), current[name]
            if snapshot.problem is not None:
                self._complain(f"inbox {name}", str(snapshot.problem))
            tenant = self._tenants.get(name)
            if not snapshot.files or tenant is None:
                continue
            complete = complete_files(previous, snapshot, done_marker=tenant.source.done_marker)
            book = self._rings.setdefault(name, RingBook(name, time.monotonic))
            ring = book.due(await asyncio.to_thread(self._without_writers, name, book, complete))
            if ring is not None:
                rings.append((book, ring, tenant))
        self._snapshots = current
        for book, ring, tenant in rings:
            await self._need_api().trigger(tenant.dag_id, ring.run_id, inbox_conf(ring.files))
            book.accepted(ring)
            first = safe_label(ring.files[0].name)
            self._log.info("rang %s for %s file(s), first %s: %s", tenant.dag_id, len(ring.files), first, ring.run_id)

    def _scan_all(self, names: Iterable[str]) -> dict[str, Snapshot]:
        return {name: scan(Landing(self._settings, name).inbox, self._snapshots.get(name)) for name in names}

    def _without_writers(self, tenant: str, book: RingBook, complete: list[Seen]) -> list[Seen]:
        """Leave out what a process still has open for writing; asked once for each file, before it is rung for."""
        inbox = Landing(self._settings, tenant).inbox
        return [seen for seen in complete if book.knows(seen) or not is_being_written(inbox / seen.name)]

    async def _check_runs(self) -> None:
        """Ask what became of runs whose files are still in the inbox."""
        for name, book in list(self._rings.items()):
            tenant = self._tenants.get(name)
            for run_id in book.unanswered() if tenant else ():
                if tenant and await self._need_api().run_state(tenant.dag_id, run_id) in ENDED:
                    book.ended(run_id)

    async def _check_pending(self) -> None:
        """Ring for files whose run has ended without a verdict or a receipt."""
        for name, tenant in list(self._tenants.items()):
            if self._ledger is None:
                return
            pending = await self._ledger.arrivals.pending(name)
            abandoned = await self._abandoned(tenant, pending)
            book = self._takeovers.setdefault(name, TakeoverBook(name, time.monotonic))
            takeover = book.due(abandoned)
            if takeover is not None:
                conf = takeover_conf(takeover.refs)
                await self._need_api().trigger(tenant.dag_id, takeover.run_id, conf)
                book.accepted(takeover)
                self._log.info("rang %s to take over %s file(s)", tenant.dag_id, len(takeover.refs))

    async def _abandoned(self, tenant: Tenant, pending: list[Pending]) -> list[Pending]:
        settled_in = timedelta(seconds=self._settings.lease_seconds)
        old = [item for item in pending if now() - arrival_time(item.ref.ingest_id) > settled_in]
        ended: dict[str | None, bool] = {None: True}
        for run_id in {item.run_id for item in old} - {None}:
            if run_id is not None:
                ended[run_id] = await self._need_api().run_state(tenant.dag_id, run_id) in ENDED
        return [item for item in old if ended[item.run_id]]

    def _need_api(self) -> AirflowApi:
        if self._api is None:
            raise AssertionError("watch() opens the API first")
        return self._api
