"""`mysimbdp ledger`: what the ledger knows about files."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from mysimbdp.cli.output import print_json, print_table
from mysimbdp.cli.replay import replay
from mysimbdp.errors import Exit

COLUMNS = (
    "tenant", "file", "state", "table", "rows_read", "rows_written", "rows_rejected", "bytes", "seconds",
    "error_code", "purged_at", "ingest_id",
)  # fmt: skip

group = typer.Typer(help="What the ledger knows about files.", no_args_is_help=True)


def mount(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    group.command()(replay)
    app.add_typer(group, name="ledger")


@group.command(name="list")
def list_(
    *,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant.")] = None,
    state: Annotated[str | None, typer.Option(help="Only this state, e.g. rejected.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many files of a tenant, newest first.", min=1)] = 100,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List files, newest first: state, rows, bytes, seconds in all and (in JSON) per stage, error code.

    Exit codes: 0; 3 coredms is not reachable.

    Examples:

        mysimbdp ledger list

        mysimbdp ledger list --tenant atlas --state rejected --json
    """
    from mysimbdp.ledger.ledger import open_ledger  # noqa: PLC0415
    from mysimbdp.ledger.record import FileRecord  # noqa: PLC0415

    async def work() -> list[FileRecord]:
        async with open_ledger() as ledger:
            tenants = [tenant] if tenant else await ledger.arrivals.tenants()
            return [record for name in tenants for record in await ledger.records(name, limit=limit)]

    rows = [record.as_dict() for record in asyncio.run(work())]
    print_table([row for row in rows if state in (None, row["state"])], COLUMNS, json=json)


@group.command()
def show(
    file: Annotated[str, typer.Argument(help="An ingest id, a sha256 or its beginning, or a file name.")],
    *,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Show all the ledger knows about a file, with its reason and what to do.

    Exit codes: 0; 1 no such file; 3 coredms is not reachable.

    Examples:

        mysimbdp ledger show apps.csv --tenant playstore

        mysimbdp ledger show 9f86d081884c --json
    """
    from mysimbdp.ledger.finding import answers_to  # noqa: PLC0415
    from mysimbdp.ledger.ledger import open_ledger  # noqa: PLC0415
    from mysimbdp.ledger.record import FileRecord  # noqa: PLC0415

    async def work() -> list[FileRecord]:
        async with open_ledger() as ledger:
            tenants = [tenant] if tenant else await ledger.arrivals.tenants()
            return [record for name in tenants for record in await ledger.records(name) if answers_to(record, file)]

    found = [
        {**record.as_dict(), "problem": record.problem.as_dict() if record.problem else None}
        for record in asyncio.run(work())
    ]
    if json:
        print_json(found)
    else:
        for facts in found:
            print_table([{"fact": key, "value": value} for key, value in facts.items()], ("fact", "value"))
    if not found:
        typer.echo(f"no file {file!r} in the ledger", err=True)
        raise typer.Exit(Exit.NOT_WELL)
