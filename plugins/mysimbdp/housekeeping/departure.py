"""The end of a tenant: switched off, at rest, then removed step by step. Killed anywhere, it is simply repeated."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mysimbdp.airflow_api import AirflowApi
from mysimbdp.coredms.durability import life_of, until_durable
from mysimbdp.coredms.keyspaces import drop_keyspace
from mysimbdp.errors import Code, Problem, TerminalError, TransientError
from mysimbdp.housekeeping.dagruns import DagRuns, delete_pool
from mysimbdp.housekeeping.holdings import folders_of, holdings
from mysimbdp.housekeeping.traces import remove
from mysimbdp.ledger.files import now
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.switches import Standing
from mysimbdp.settings import Settings
from mysimbdp.tenants.names import dag_id_of, keyspace_of, pool_of

REASON = "it is being removed"
SETTLE_SECONDS = 6.0
"""The watcher has heard of a switch after this."""
STOP_SECONDS = 12.0
"""A task hears with its next heartbeat, 5 s at most, that its run was ended, and has as long to stop."""
POLL_SECONDS = 0.5
ROUNDS = 3
"""What a straggler puts back after it was removed is removed again, so often."""
KEPT_ASIDE = "_removed"


@dataclass(frozen=True, slots=True)
class Wishes:
    """How far the operator lets it go; `seconds` is the longest wait for what is in flight."""

    force: bool = False
    discard_inbox: bool = False
    with_file: bool = False
    seconds: float = 120.0


class Departure:
    """Removes one tenant; `tell` hears of each step."""

    def __init__(
        self, ledger: Ledger, api: AirflowApi, settings: Settings, tenant: str, tell: Callable[[str], None]
    ) -> None:
        self._ledger = ledger
        self._api = api
        self._settings = settings
        self._tenant = tenant
        self._dag_id = dag_id_of(tenant)
        self._folders = folders_of(settings, tenant)
        self._runs = DagRuns(api, self._dag_id)
        self._tell = tell

    async def remove(self, wishes: Wishes) -> Path | None:
        """Remove the tenant; returns where its tenant file was put aside, if it was.

        Raises:
            TerminalError: TENANT_IN_USE: something is pending or in the inbox, and the wishes do not allow that. The
                tenant stays disabled.
            TransientError: a service or a folder failed, or a task would not end; to be repeated.
        """
        self._refuse_unprocessed(wishes)
        switch = await self._ledger.switches.move(self._tenant, Standing.DISABLED, reason=REASON, allowed=[None])
        if switch is None or switch.state is not Standing.REMOVING:
            if not wishes.force:
                self._tell("waiting for what is in flight")
                await self._at_rest(wishes.seconds)
                self._refuse_unprocessed(wishes)
            life = await life_of(self._ledger.session)
            await self._ledger.switches.move(
                self._tenant, Standing.REMOVING, reason=REASON, allowed=[Standing.DISABLED, Standing.REMOVED]
            )
            await until_durable(self._ledger.session, life)
        aside = await asyncio.to_thread(self._put_aside) if wishes.with_file else None
        await self._stop(wishes.seconds)
        for _ in range(ROUNDS):
            await self._remove_all(wishes.seconds)
            if not await self._left():
                break
        else:
            what = f"something puts back what is removed: {', '.join(await self._left())}"
            raise TransientError(Problem(Code.TENANT_IN_USE, what))
        has_file = (self._settings.tenants_dir / self._tenant).exists()
        end = Standing.REMOVED if has_file else None
        reason = "its tenant file is still there" if has_file else ""
        await self._ledger.switches.move(self._tenant, end, reason=reason, allowed=[Standing.REMOVING])
        return aside

    def _refuse_unprocessed(self, wishes: Wishes) -> None:
        inbox = self._folders["inbox"]
        waiting = os.listdir(inbox) if inbox.is_dir() else []  # noqa: PTH208  # names alone
        if waiting and not wishes.discard_inbox:
            what = f"{len(waiting)} file(s) wait in {inbox}, and nobody has taken them"
            raise TerminalError(Problem(Code.TENANT_IN_USE, what))

    async def _at_rest(self, seconds: float) -> None:
        """Wait until nothing is pending and no run is at work; then queued runs are removed, which take nothing."""
        deadline = time.monotonic() + seconds
        while True:
            pending = await self._ledger.arrivals.pending(self._tenant)
            running = await self._runs.find(["running"])
            if not pending and not running.total:
                for run_id in (await self._runs.find(["queued"])).first:
                    await self._runs.delete(run_id)
                switch = await self._ledger.switches.find(self._tenant)
                if switch is None or (now() - switch.since).total_seconds() > SETTLE_SECONDS:
                    return
            elif time.monotonic() > deadline:
                what = (
                    f"after {seconds:.0f} s {len(pending)} file(s) are still pending and "
                    f"{running.total} run(s) at work; {self._tenant} stays disabled"
                )
                raise TerminalError(Problem(Code.TENANT_IN_USE, what))
            await asyncio.sleep(POLL_SECONDS)

    async def _stop(self, seconds: float) -> None:
        """End what was not waited for: runs are failed, and whoever holds a lease is waited for until it is over."""
        deadline = time.monotonic() + seconds
        last_ended = float("-inf")
        while True:
            for run_id in (await self._runs.find(["running"])).first:
                self._tell(f"ending the run {run_id}")
                await self._runs.fail(run_id)
                last_ended = time.monotonic()
            pending = await self._ledger.arrivals.pending(self._tenant)
            records = [await self._ledger.files.find(item.ref) for item in pending]
            held = [record for record in records if record and record.holder]
            if not held and time.monotonic() - last_ended > STOP_SECONDS:
                return
            if held and time.monotonic() > deadline:
                what = f"{held[0].holder} is still at work on a file of {self._tenant}"
                raise TransientError(Problem(Code.TENANT_IN_USE, what))
            await asyncio.sleep(POLL_SECONDS)

    async def _remove_all(self, seconds: float) -> None:
        """Everything but the switch; what leads to other things goes after them."""
        self._tell(f"Airflow: {self._dag_id}, its runs, the pool")
        deadline = time.monotonic() + seconds
        while not await self._runs.delete_dag():
            if time.monotonic() > deadline:
                what = f"a task of {self._dag_id} is still running"
                raise TransientError(Problem(Code.TENANT_IN_USE, what))
            await asyncio.sleep(POLL_SECONDS)
        await delete_pool(self._api, pool_of(self._tenant))
        for kind, folder in self._folders.items():
            self._tell(f"{kind}: {folder}")
            await asyncio.to_thread(remove, folder)
        self._tell(f"coredms: the keyspace {keyspace_of(self._tenant)}")
        await asyncio.to_thread(drop_keyspace, keyspace_of(self._tenant))
        self._tell("the ledger's rows")
        await self._ledger.erasure.erase(self._tenant)

    async def _left(self) -> list[str]:
        """What is there again; a DAG without runs is not counted while the tenant file makes it."""
        found = await holdings(self._ledger, self._api, self._settings, self._tenant)
        has_file = (self._settings.tenants_dir / self._tenant).exists()
        return [f"{one.kind} {one.place}" for one in found if not (one.kind == "dag" and has_file and not one.count)]

    def _put_aside(self) -> Path | None:
        """Out of the way of whoever reads tenant files; a former one of the same name keeps its place."""
        home = self._settings.tenants_dir / self._tenant
        if not home.exists():
            return None
        self._tell(f"putting {home} aside")
        parent = self._settings.tenants_dir / KEPT_ASIDE
        parent.mkdir(exist_ok=True)
        number = 1
        while (place := parent / (self._tenant if number == 1 else f"{self._tenant}-{number}")).exists():
            number += 1
        return home.rename(place)
