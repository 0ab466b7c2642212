"""What is left of tenants that have no tenant file any more, or whose removal was not brought to its end."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path

from mysimbdp.audit import Discrepancy
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.switches import Standing, Switch
from mysimbdp.settings import Settings
from mysimbdp.tenants.store import load_tenants

KEYSPACE_PREFIX = "tenant_"
ADVICE = "bring its file back, or `mysimbdp tenants remove`"


async def leftovers(ledger: Ledger, settings: Settings) -> list[Discrepancy]:
    """One discrepancy for each tenant of which something is left; a removed one may still have its file."""
    switches = await ledger.switches.all()
    store = await asyncio.to_thread(load_tenants, settings.tenants_dir)
    places = await _places(ledger, settings)
    begun = {name for name, switch in switches.items() if switch.state is Standing.REMOVING}
    found = []
    for tenant in sorted(begun | set(places)):
        why = _why_not(tenant in store.valid or tenant in store.broken, switches.get(tenant))
        if why is not None:
            what = f"{why}; there is still {', '.join(places[tenant]) or 'its mark'}: {ADVICE}"
            found.append(Discrepancy(tenant, "leftover", tenant, what))
    return found


def _why_not(has_file: bool, switch: Switch | None) -> str | None:
    """Why there should be nothing of the tenant, or None when there may be."""
    if switch is not None and switch.state is Standing.REMOVING:
        return f"its removal began on {switch.since:%Y-%m-%d %H:%M} UTC and did not end"
    if switch is not None and switch.state is Standing.REMOVED:
        return "it was removed"
    return None if has_file else "it has no tenant file"


async def _places(ledger: Ledger, settings: Settings) -> dict[str, list[str]]:
    """Where something of a tenant is, by tenant."""
    found: dict[str, list[str]] = defaultdict(list)
    for tenant in await ledger.arrivals.tenants():
        found[tenant].append("records in the ledger")
    for keyspace in await ledger.keyspaces():
        if keyspace.startswith(KEYSPACE_PREFIX):
            found[keyspace.removeprefix(KEYSPACE_PREFIX)].append(f"the keyspace {keyspace}")
    for root in (settings.landing_dir, settings.staging_dir, settings.archive_dir):
        for folder in await asyncio.to_thread(_folders_in, root):
            found[folder.name].append(f"the folder {folder}")
    return found


def _folders_in(root: Path) -> list[Path]:
    return sorted(folder for folder in root.iterdir() if folder.is_dir()) if root.exists() else []
