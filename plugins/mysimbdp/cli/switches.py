"""`mysimbdp tenants disable`, `enable` and `remove`: a tenant's standing on the platform."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mysimbdp.cli.output import print_json, print_table
from mysimbdp.cli.tenants import Json, group
from mysimbdp.errors import Code, Problem, TerminalError

if TYPE_CHECKING:
    from pathlib import Path

    from mysimbdp.housekeeping.departure import Wishes
    from mysimbdp.housekeeping.holdings import Holding
    from mysimbdp.ledger.switches import Standing, Switch

Id = Annotated[str, typer.Argument(metavar="TENANT", show_default=False)]


@group.command()
def disable(
    tenant_id: Id,
    *,
    reason: Annotated[str, typer.Option(help="Why; the customer sees it beside the receipts.")] = "",
    json: Json = False,
) -> None:
    """Take no more files of a tenant in. What is in flight ends; files wait in the inbox; rows stay as they are.

    The tenant's DAG shows a run with the reason as its note. It stays so, over restarts, until `tenants enable`.

    Exit codes: 0 it is disabled; 3 coredms is not reachable; 4 there is no such tenant.

    Examples:

        mysimbdp tenants disable acme --reason "contract ended in June"
    """
    from mysimbdp.ledger.switches import Standing  # noqa: PLC0415

    _need_file(tenant_id)
    switch = asyncio.run(_move(tenant_id, Standing.DISABLED, reason=reason, allowed=[None]))
    if json:
        print_json(_facts(tenant_id, switch))
    else:
        typer.echo(switch.problem.what if switch else f"{tenant_id} is enabled")


@group.command()
def enable(tenant_id: Id, *, json: Json = False) -> None:
    """Serve a disabled tenant again: the watcher takes what waits in its inbox within seconds.

    A tenant that was removed, and whose file is still there, begins anew with nothing.

    Exit codes: 0 it is enabled; 1 its removal began and has to end first; 3 coredms is not reachable;
    4 there is no such tenant.

    Examples:

        mysimbdp tenants enable acme
    """
    from mysimbdp.ledger.switches import Standing  # noqa: PLC0415

    _need_file(tenant_id)
    switch = asyncio.run(_move(tenant_id, None, allowed=[Standing.DISABLED, Standing.REMOVED]))
    if switch is not None:
        what = f"{switch.problem.what}; bring it to its end with `mysimbdp tenants remove {tenant_id}`"
        raise TerminalError(Problem(Code.TENANT_IN_USE, what))
    if json:
        print_json(_facts(tenant_id, None))
    else:
        typer.echo(f"{tenant_id} is enabled")


@group.command()
def remove(
    tenant_id: Id,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the tenant's name.")] = False,
    discard_inbox: Annotated[bool, typer.Option("--discard-inbox", help="Also files that nobody has taken.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Do not wait for what is in flight: end it.")] = False,
    with_file: Annotated[
        bool, typer.Option("--with-file", help="Put the tenant file aside, into tenants/_removed/.")
    ] = False,
    timeout: Annotated[float, typer.Option(help="Longest wait for what is in flight, in seconds.", min=0)] = 120,
    json: Json = False,
) -> None:
    """Remove all that the platform holds of a tenant: rows, files, receipts, ledger, runs, logs. For good.

    The tenant is disabled first, and what is in flight is waited for. Safe to repeat, and to be repeated after a
    crash. The tenant file and the folder below client_apps/ are yours: while the file is there, the tenant stays
    switched off as removed. Lines about its files stay in server.log, Airflow's audit log and database backups.

    Exit codes: 0 nothing of it is left; 1 something is pending or in the inbox (it stays disabled); 2 not confirmed;
    3 a service is not reachable; 4 there is no such tenant.

    Examples:

        mysimbdp tenants remove acme --dry-run

        mysimbdp tenants remove acme --with-file

        mysimbdp tenants remove acme --yes --force --discard-inbox --json
    """
    from mysimbdp.housekeeping.departure import Wishes  # noqa: PLC0415

    found = asyncio.run(_holdings(tenant_id))
    rows = [one.as_dict() for one in found]
    if not json:
        print_table(rows, ("kind", "place", "count", "bytes"), title=f"what there is of {tenant_id}")
    if dry_run:
        if json:
            print_json({"tenant": tenant_id, "dry_run": True, "holdings": rows})
        return
    if not yes and typer.prompt(f"Type {tenant_id} to remove all of it", err=True) != tenant_id:
        typer.echo("not confirmed; nothing was changed", err=True)
        raise typer.Exit(2)
    wishes = Wishes(force, discard_inbox, with_file, timeout)
    aside = asyncio.run(_remove(tenant_id, wishes))
    if json:
        print_json({"tenant": tenant_id, "dry_run": False, "holdings": rows, "file": str(aside) if aside else None})
    else:
        typer.echo(f"{tenant_id} is removed" + (f"; its tenant file is {aside}" if aside else ""))


def _need_file(tenant_id: str) -> None:
    """A broken tenant file is a tenant too: TENANT_UNKNOWN only where there is none."""
    from mysimbdp.settings import settings  # noqa: PLC0415
    from mysimbdp.tenants.store import load_tenants  # noqa: PLC0415

    store = load_tenants(settings().tenants_dir)
    if tenant_id not in store.valid and tenant_id not in store.broken:
        raise TerminalError(
            Problem(Code.TENANT_UNKNOWN, f"there is no tenant {tenant_id!r} in {settings().tenants_dir}")
        )


async def _move(
    tenant_id: str, state: Standing | None, *, reason: str = "", allowed: Sequence[Standing | None]
) -> Switch | None:
    from mysimbdp.coredms.durability import life_of, until_durable  # noqa: PLC0415
    from mysimbdp.ledger.ledger import open_ledger  # noqa: PLC0415

    async with open_ledger() as ledger:
        life = await life_of(ledger.session)
        switch = await ledger.switches.move(tenant_id, state, reason=reason, allowed=allowed)
        await until_durable(ledger.session, life)
        return switch


def _facts(tenant_id: str, switch: Switch | None) -> dict[str, str | None]:
    return {
        "tenant": tenant_id,
        "state": str(switch.state) if switch else "enabled",
        "reason": switch.reason if switch else None,
        "since": switch.since.isoformat(timespec="milliseconds") if switch else None,
    }


async def _holdings(tenant_id: str) -> list[Holding]:
    from mysimbdp.airflow_api import AirflowApi  # noqa: PLC0415
    from mysimbdp.housekeeping.holdings import holdings  # noqa: PLC0415
    from mysimbdp.ledger.ledger import open_ledger  # noqa: PLC0415
    from mysimbdp.settings import settings  # noqa: PLC0415

    async with open_ledger() as ledger, AirflowApi() as api:
        found = await holdings(ledger, api, settings(), tenant_id)
        begun = await ledger.switches.find(tenant_id)
    if not found and begun is None and not (settings().tenants_dir / tenant_id).is_dir():
        what = f"there is no tenant {tenant_id!r}: no file, and nothing of it anywhere"
        raise TerminalError(Problem(Code.TENANT_UNKNOWN, what))
    return found


async def _remove(tenant_id: str, wishes: Wishes) -> Path | None:
    from mysimbdp.airflow_api import AirflowApi  # noqa: PLC0415
    from mysimbdp.housekeeping.departure import Departure  # noqa: PLC0415
    from mysimbdp.ledger.ledger import open_ledger  # noqa: PLC0415
    from mysimbdp.settings import settings  # noqa: PLC0415

    def tell(step: str) -> None:
        typer.echo(step, err=True)

    async with open_ledger() as ledger, AirflowApi() as api:
        return await Departure(ledger, api, settings(), tenant_id, tell).remove(wishes)
