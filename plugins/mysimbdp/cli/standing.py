"""What the commands about tenants say of a tenant's standing: enabled, disabled or removed, and what waits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import typer

from mysimbdp.errors import MysimbdpError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mysimbdp.ledger.switches import Switch
    from mysimbdp.tenants.model import Tenant


def known_switches() -> Mapping[str, Switch] | None:
    """The tenants that are switched off; None, and a warning, when coredms does not tell."""
    from mysimbdp.ledger.ledger import open_ledger  # noqa: PLC0415

    async def work() -> Mapping[str, Switch]:
        async with open_ledger() as ledger:
            return await ledger.switches.all()

    try:
        return asyncio.run(work())
    except MysimbdpError as fault:
        typer.echo(f"warning: who is disabled is not known: {fault.problem.what}", err=True)
        return None


def standing(tenant_id: str, switches: Mapping[str, Switch] | None) -> dict[str, Any]:
    """The tenant's state, why and since when, and how many files its inbox has (None: it has no inbox)."""
    switch = switches.get(tenant_id) if switches is not None else None
    served = "unknown" if switches is None else "enabled"
    return {
        "state": str(switch.state) if switch else served,
        "reason": switch.reason if switch else None,
        "since": switch.since.isoformat(timespec="milliseconds") if switch else None,
        "waiting": _waiting(tenant_id),
    }


def _waiting(tenant_id: str) -> int | None:
    from mysimbdp.landing.completeness import scan  # noqa: PLC0415
    from mysimbdp.landing.layout import Landing  # noqa: PLC0415
    from mysimbdp.settings import settings  # noqa: PLC0415

    try:
        found = scan(Landing(settings(), tenant_id).inbox)
    except MysimbdpError:
        return None  # a folder whose name is no tenant id
    return None if found.problem else len(found.files)


def without_removed(tenants: list[Tenant]) -> list[Tenant]:
    """Leave out, with a warning, what must not come back by itself because its file is still there."""
    from mysimbdp.ledger.switches import Standing  # noqa: PLC0415

    gone = {name: one for name, one in (known_switches() or {}).items() if one.state is not Standing.DISABLED}
    for tenant in tenants:
        if tenant.tenant in gone:
            what = gone[tenant.tenant].problem.what
            typer.echo(f"warning: {what}; left out, see `mysimbdp tenants enable`", err=True)
    return [tenant for tenant in tenants if tenant.tenant not in gone]
