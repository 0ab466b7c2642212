"""`mysimbdp ledger replay`: archived bytes ingested once more."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated

import typer

from mysimbdp.cli.output import print_table
from mysimbdp.errors import Code, Exit, Problem, TerminalError

COLUMNS = (
    "tenant", "file", "state", "table", "rows_read", "rows_written", "rows_rejected", "seconds", "error_code",
    "changed", "replay_of", "ingest_id",
)  # fmt: skip


def replay(
    file: Annotated[str, typer.Argument(help="An ingest id, a sha256 or its beginning, or a file name.")],
    tenant: Annotated[str, typer.Option(help="Whose file it is.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also when app or table are not as they were.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Ingest the archived bytes of a committed file once more, with a later timestamp; also of a purged one.

    The app and the table's definition must be what they were. When they are not, what changed is said and nothing is
    done without --force; with it, what changed is noted in the ledger and the receipt. The quota counts the file once.

    Exit codes: 0 committed; 1 no such file, several of this name, something changed, not confirmed, or the replay
    was rejected or lost to another one at the same time; 3 coredms is not reachable; 4 no such tenant or app.

    Examples:

        mysimbdp ledger replay apps.csv --tenant playstore

        mysimbdp ledger replay 9f86d081884c --tenant playstore --force --yes --json
    """
    from mysimbdp.batchingestmanager.replay import replay as carry_out  # noqa: PLC0415
    from mysimbdp.batchingestmanager.replay import what_changed  # noqa: PLC0415
    from mysimbdp.ledger.finding import find_stored, replayable  # noqa: PLC0415
    from mysimbdp.ledger.ledger import open_ledger  # noqa: PLC0415
    from mysimbdp.ledger.record import FileRecord  # noqa: PLC0415
    from mysimbdp.settings import settings  # noqa: PLC0415
    from mysimbdp.tenants.store import load_tenant  # noqa: PLC0415

    known = load_tenant(settings().tenants_dir, tenant)

    async def find() -> FileRecord:
        async with open_ledger() as ledger:
            return replayable(await find_stored(ledger, tenant, file))

    async def work() -> FileRecord:
        async with open_ledger() as ledger:
            return await carry_out(ledger, known, old, logging.getLogger("mysimbdp"))

    old = asyncio.run(find())
    changed = what_changed(known, old)
    if changed and not force:
        raise TerminalError(Problem(Code.REPLAY_CHANGED, changed, file=file))
    if not yes:
        print_table([old.as_dict()], COLUMNS, title="to be ingested again")
        if changed:
            typer.echo(f"changed since: {changed}", err=True)
        if not typer.confirm("Ingest it again?", err=True):
            raise typer.Exit(Exit.NOT_WELL)
    record = asyncio.run(work())
    print_table([record.as_dict()], COLUMNS, json=json)
    if record.state != "committed":
        raise typer.Exit(Exit.NOT_WELL)
