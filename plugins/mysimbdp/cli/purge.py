"""`mysimbdp purge`: a file's rows taken out of coredms again."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from mysimbdp.cli.output import print_table
from mysimbdp.errors import Exit

if TYPE_CHECKING:
    from mysimbdp.batchingestmanager.purge_plan import Plan

COLUMNS = ("tenant", "file", "table", "rows", "superseded", "bytes", "purged_at", "ingest_id")


def mount(app: typer.Typer) -> None:
    """Add this module's command to the command line."""
    app.command()(purge)


def purge(
    file: Annotated[str, typer.Argument(help="An ingest id, a sha256 or its beginning, or a file name.")],
    tenant: Annotated[str, typer.Option(help="Whose file it is.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be deleted.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Delete a committed file's rows, free its quota, and take its bytes again when they are sent again.

    Rows that a later file has overwritten are that file's and stay; rows that this file had overwritten do not come
    back, for Cassandra keeps no former version. The archived bytes, the receipt and the ledger's record stay, and
    `mysimbdp ledger replay` brings the rows back. Named by sha256 or name, all replays of the file are purged with it.
    Safe to repeat, also after a kill.

    Exit codes: 0 purged, also before; 1 no such file, several of this name, not committed, in use, or not confirmed;
    3 coredms is not reachable.

    Examples:

        mysimbdp purge apps.csv --tenant playstore --dry-run

        mysimbdp purge 9f86d081884c --tenant playstore --yes --json
    """
    from mysimbdp.batchingestmanager.purge import purge as carry_out  # noqa: PLC0415
    from mysimbdp.batchingestmanager.purge_plan import plan_purge  # noqa: PLC0415
    from mysimbdp.ledger.finding import find_stored  # noqa: PLC0415
    from mysimbdp.ledger.ledger import open_ledger  # noqa: PLC0415

    async def plan() -> list[Plan]:
        async with open_ledger() as ledger:
            return [await plan_purge(ledger, record) for record in await find_stored(ledger, tenant, file)]

    async def work() -> list[Plan]:
        async with open_ledger() as ledger:
            log = logging.getLogger("mysimbdp")
            return [replace(one, record=await carry_out(ledger, one, log)) for one in plans]

    plans = asyncio.run(plan())
    if not dry_run and not yes and any(one.record.purged_at is None for one in plans):
        print_table([one.as_dict() for one in plans], COLUMNS, title="to be deleted")
        if not typer.confirm("Delete these rows?", err=True):
            raise typer.Exit(Exit.NOT_WELL)
    done = plans if dry_run else asyncio.run(work())
    print_table([one.as_dict() for one in done], COLUMNS, json=json)
