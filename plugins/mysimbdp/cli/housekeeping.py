"""`mysimbdp housekeeping`: what the daily DAGs do, by hand."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from mysimbdp.cli.output import print_table
from mysimbdp.errors import Exit

if TYPE_CHECKING:
    from mysimbdp.audit import Discrepancy
    from mysimbdp.housekeeping.retention import Pruned

group = typer.Typer(help="Retention and leftovers: what the daily DAGs do, by hand.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def mount(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    app.add_typer(group, name="housekeeping")


@group.command()
def retention(
    *,
    tenant: Annotated[list[str] | None, typer.Option(help="Only this tenant; may be given again.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go.")] = False,
    json: Json = False,
) -> None:
    """Remove what is older than each tenant file's `retention` says; the DAG housekeeping_retention does so daily.

    The oldest goes first, at most 10,000 of a kind and tenant in one go (`more`: repeat it). What is pending stays.

    Exit codes: 0 done; 3 coredms is not reachable (without Airflow its runs are left out, with a warning);
    4 there is no such tenant.

    Examples:

        mysimbdp housekeeping retention --dry-run --json

        mysimbdp housekeeping retention --tenant acme
    """
    from mysimbdp.housekeeping.rounds import retention_round  # noqa: PLC0415
    from mysimbdp.ledger.files import now  # noqa: PLC0415
    from mysimbdp.ledger.ledger import open_ledger  # noqa: PLC0415
    from mysimbdp.settings import settings  # noqa: PLC0415
    from mysimbdp.tenants.store import load_tenant  # noqa: PLC0415

    wanted = [load_tenant(settings().tenants_dir, name).tenant for name in tenant or ()]
    log = logging.getLogger("mysimbdp.housekeeping")

    async def work() -> list[Pruned]:
        async with open_ledger() as ledger:
            round_ = retention_round(ledger, settings(), now(), log, only=wanted, dry_run=dry_run)
            return [pruned async for pruned in round_]

    rows = [asdict(one) for one in asyncio.run(work()) if one.count or json]
    print_table(rows, ("tenant", "kind", "days", "count", "bytes", "more"), json=json)


@group.command()
def leftovers(*, json: Json = False) -> None:
    """List what is left of tenants that have no tenant file, or whose removal did not come to its end.

    Exit codes: 0 nothing; 1 something is left; 3 coredms is not reachable.

    Examples:

        mysimbdp housekeeping leftovers
    """
    from mysimbdp.housekeeping.leftovers import leftovers as find  # noqa: PLC0415
    from mysimbdp.ledger.ledger import open_ledger  # noqa: PLC0415
    from mysimbdp.settings import settings  # noqa: PLC0415

    async def work() -> list[Discrepancy]:
        async with open_ledger() as ledger:
            return await find(ledger, settings())

    found = asyncio.run(work())
    print_table([asdict(one) for one in found], ("tenant", "what"), json=json)
    if found:
        raise typer.Exit(Exit.NOT_WELL)
