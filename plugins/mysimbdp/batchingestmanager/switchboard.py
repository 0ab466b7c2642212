"""What the watcher knows of tenants that are switched off, and how it shows them where people look."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress

from mysimbdp.airflow_api import AirflowApi
from mysimbdp.batchingestmanager.conf import inbox_conf
from mysimbdp.errors import MysimbdpError
from mysimbdp.landing.completeness import scan
from mysimbdp.landing.layout import Landing
from mysimbdp.landing.moving import write_whole
from mysimbdp.ledger.switches import Standing, Switch
from mysimbdp.settings import Settings
from mysimbdp.tenants.model import Tenant


class Switchboard:
    """The switches as the ledger last told them. While it has told nothing yet, nobody is served."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._switches: Mapping[str, Switch] | None = None
        self._shown: dict[str, Switch | None] = {}

    def update(self, switches: Mapping[str, Switch]) -> None:
        """Take over what the ledger says now."""
        self._switches = switches

    def takes_files(self, tenant: str) -> bool:
        """True unless the tenant is switched off, or nothing is known yet."""
        return self._switches is not None and tenant not in self._switches

    def is_there(self, tenant: str) -> bool:
        """True unless the tenant is being removed or was, or nothing is known yet: what is in flight goes on."""
        if self._switches is None:
            return False
        switch = self._switches.get(tenant)
        return switch is None or switch.state is Standing.DISABLED

    async def show(self, tenants: Iterable[Tenant], api: AirflowApi) -> list[str]:
        """Show each change once: a run with a note in the tenant's DAG, a notice beside its receipts.

        Returns what there is to say: files that wait, what could not be shown yet. Runs have derived names, so a
        watcher that was moved elsewhere shows nothing twice.
        """
        lines: list[str] = []
        for tenant in tenants:
            name = tenant.tenant
            if not self.is_there(name):
                continue
            switch = (self._switches or {}).get(name)
            if name not in self._shown or self._shown[name] != switch:
                try:
                    await self._show(tenant, switch, api)
                    self._shown[name] = switch
                except (MysimbdpError, OSError) as fault:
                    lines.append(f"the switch of {name} cannot be shown: {fault}")
            if switch is not None:
                waiting = len((await asyncio.to_thread(scan, Landing(self._settings, name).inbox)).files)
                if waiting:
                    lines.append(f"{waiting} file(s) of {name} wait: {switch.problem.what}")
        return lines

    async def _show(self, tenant: Tenant, switch: Switch | None, api: AirflowApi) -> None:
        notice = Landing(self._settings, tenant.tenant).notice
        if switch is None:
            with suppress(FileNotFoundError):
                await asyncio.to_thread(notice.unlink)
            return
        with suppress(FileNotFoundError):  # no landing yet
            await asyncio.to_thread(write_whole, notice, f"{switch.problem.what}\n".encode())
        run_id = f"disabled__{switch.since:%Y-%m-%dT%H:%M:%S.%f}"
        await api.trigger(tenant.dag_id, run_id, inbox_conf(()), note=switch.problem.what)
