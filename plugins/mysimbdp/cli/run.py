"""`mysimbdp run`: everything up, two sample customers' files through Airflow into Cassandra, and the proof."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mysimbdp.cli.ledger import COLUMNS
from mysimbdp.cli.output import print_table
from mysimbdp.errors import Exit

if TYPE_CHECKING:
    from mysimbdp.ledger.record import FileRecord
    from mysimbdp.mainjob.following import Progress
    from mysimbdp.mainjob.sending import Customer

WRONG_SHOWN = 10


def mount(app: typer.Typer) -> None:
    """Add this module's command to the command line."""
    app.command()(run)


def run(
    *,
    rows: Annotated[int, typer.Option(help="Generated Play Store rows of the first run.", min=1)] = 20_000,
    timeout: Annotated[float, typer.Option(help="Longest wait for the files to land, in seconds.", min=1)] = 240,
) -> None:
    """Start everything and do the main job on two sample tenants; ends with the rows read back from Cassandra.

    Two customers, atlas and playstore, have files of their own. fetchdata sends the eligible ones, the tenants'
    DAGs sense them by themselves. Every later run adds a new file. Everything is left up; `make stop` stops it.

    Exit codes: 0 every expected row is in Cassandra; 1 some are not; 3 a service did not start.

    Examples:

        mysimbdp run

        mysimbdp run --rows 1000000 --timeout 900
    """
    from mysimbdp.cli.onebox import say_addresses, up  # noqa: PLC0415
    from mysimbdp.cli.tenants import apply  # noqa: PLC0415
    from mysimbdp.mainjob.sending import send_all  # noqa: PLC0415
    from mysimbdp.onebox import envfile  # noqa: PLC0415
    from mysimbdp.onebox.onebox import Onebox  # noqa: PLC0415
    from mysimbdp.settings import settings  # noqa: PLC0415

    up(only_coredms=False)
    envfile.load(settings().home / "env")
    apply(ids=["atlas", "playstore"], dry_run=False, json=False)
    customers = send_all(settings(), rows=rows)
    _show_sent(customers)
    digests = {
        customer.tenant: [one.sha256 for one in customer.fetched if one.sent and one.sha256] for customer in customers
    }
    asyncio.run(_follow(digests, seconds=timeout))
    everything_there = _show_result(customers, asyncio.run(_records(customers)))
    typer.echo("")
    say_addresses(Onebox())
    typer.echo("stop it:  make stop")
    if not everything_there:
        raise typer.Exit(Exit.NOT_WELL)


def _show_sent(customers: Sequence[Customer]) -> None:
    rows = [
        {
            "tenant": customer.tenant,
            "file": one.label,
            "eligible": one.eligible,
            "sent": one.sent,
            "bytes": one.seen.size,
            "reason": str(one.problem.what) if one.problem else None,
        }
        for customer in customers
        for one in customer.fetched
    ]
    print_table(rows, ("tenant", "file", "eligible", "sent", "bytes", "reason"), title="fetchdata")


async def _follow(digests: Mapping[str, Sequence[str]], *, seconds: float) -> None:
    from mysimbdp.ledger.ledger import open_ledger  # noqa: PLC0415
    from mysimbdp.mainjob.following import follow  # noqa: PLC0415

    async with open_ledger() as ledger:
        with _progress() as tell:
            await follow(ledger, digests, seconds=seconds, tell=tell)


@contextmanager
def _progress() -> Iterator[Progress]:
    """A live line on a terminal, a line for each change anywhere else."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    console = Console(stderr=True)
    if not console.is_terminal:
        last: list[str] = []

        def say(done: int, total: int, what: str) -> None:
            line = f"{done} of {total} files settled; {what}"
            if last[-1:] != [line]:
                last.append(line)
                console.print(line, markup=False, highlight=False)

        yield say
        return
    columns = (
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, what: bar.update(task, completed=done, total=total, description=what)


async def _records(customers: Sequence[Customer]) -> list[FileRecord]:
    from mysimbdp.ledger.ledger import open_ledger  # noqa: PLC0415

    async with open_ledger() as ledger:
        return [record for customer in customers for record in reversed(await ledger.records(customer.tenant))]


def _show_result(customers: Sequence[Customer], records: Sequence[FileRecord]) -> bool:
    from mysimbdp.mainjob.verifying import compare  # noqa: PLC0415
    from mysimbdp.settings import settings  # noqa: PLC0415
    from mysimbdp.tenants.store import load_tenant  # noqa: PLC0415

    comparisons = []
    for customer in customers:
        comparisons += compare(load_tenant(settings().tenants_dir, customer.tenant), customer.files)
    for one in comparisons:
        shown = [{key: _short(value) for key, value in row.items()} for row in one.sample]
        print_table(shown, tuple(one.sample[0]) if one.sample else ("empty",), title=f"SELECT … FROM {one.table}")
    summary = [
        {"table": one.table, "expected": one.expected, "in_cassandra": one.found, "right": not one.wrong}
        for one in comparisons
    ]
    print_table([record.as_dict() for record in records], COLUMNS[:-1], title="the ledger")
    print_table(summary, ("table", "expected", "in_cassandra", "right"), title="worked out with pandas, read back")
    for one in comparisons:
        for line in one.wrong[:WRONG_SHOWN]:
            typer.echo(f"{one.table}: {line}", err=True)
    return all(not one.wrong for one in comparisons)


def _short(value: Any) -> str | None:
    text = None if value is None else str(value)
    return text if text is None or len(text) <= 24 else f"{text[:23]}…"
