"""`mysimbdp ingest`: one file, the same code path without Airflow."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from mysimbdp.cli.ledger import COLUMNS
from mysimbdp.cli.output import print_table
from mysimbdp.errors import Exit


def mount(app: typer.Typer) -> None:
    """Add this module's command to the command line."""
    app.command()(ingest)


def ingest(
    file: Annotated[Path, typer.Argument(help="The file; it stays where it is.")],
    tenant: Annotated[str, typer.Option(help="Whose file it is.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log each step to stderr.")] = False,
) -> None:
    """Ingest one file of a tenant here and now, without Airflow; receipt, ledger and archive as always.

    Exit codes: 0 committed; 1 rejected, failed or duplicate; 3 coredms is not reachable; 4 no such tenant.

    Examples:

        mysimbdp ingest /tmp/apps.csv --tenant playstore

        mysimbdp ingest /tmp/apps.csv --tenant playstore --json --verbose
    """
    import logging  # noqa: PLC0415

    from mysimbdp.batchingestmanager.direct import ingest_directly  # noqa: PLC0415
    from mysimbdp.ledger.ledger import open_ledger  # noqa: PLC0415
    from mysimbdp.ledger.record import FileRecord  # noqa: PLC0415
    from mysimbdp.ledger.states import State  # noqa: PLC0415
    from mysimbdp.settings import settings  # noqa: PLC0415
    from mysimbdp.tenants.store import load_tenant  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO if verbose else logging.ERROR, format="%(levelname)s %(message)s")
    known = load_tenant(settings().tenants_dir, tenant)

    async def work() -> FileRecord:
        async with open_ledger() as ledger:
            return await ingest_directly(ledger, known, file, logging.getLogger("mysimbdp"))

    record = asyncio.run(work())
    print_table([record.as_dict()], COLUMNS, json=json)
    if record.state is not State.COMMITTED:
        if record.problem and not json:
            typer.echo(str(record.problem), err=True)
        raise typer.Exit(Exit.NOT_WELL)
