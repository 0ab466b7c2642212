"""`mysimbdp generate`: any number of sample rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from mysimbdp.cli.output import print_table


def mount(app: typer.Typer) -> None:
    """Add this module's command to the command line."""
    app.command()(generate)


def generate(
    out: Annotated[Path, typer.Option(help="The file to write; it appears under its name when it is whole.")],
    rows: Annotated[int, typer.Option(min=0, help="How many rows.")] = 10_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same file.")] = 0,
    bad_rows: Annotated[float, typer.Option(min=0, max=1, help="Share of rows that are malformed.")] = 0.0,
    row_format: Annotated[Literal["csv", "jsonl"], typer.Option("--format", help="Format of the file.")] = "csv",
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Write rows shaped like the Google Play apps table, e.g. for the sample tenant playstore.

    Exit codes: 0 written; 1 the file cannot be written; 2 wrong usage.

    Examples:

        mysimbdp generate --rows 1000 --out apps.csv

        mysimbdp generate --rows 5000000 --seed 7 --bad-rows 0.01 --format jsonl --out apps.jsonl
    """
    import time  # noqa: PLC0415  # --help stays fast

    from mysimbdp.clients.generate import generate as write  # noqa: PLC0415
    from mysimbdp.errors import Exit  # noqa: PLC0415

    started = time.monotonic()
    try:
        made = write(out, rows=rows, seed=seed, bad_share=bad_rows, row_format=row_format)
    except OSError as error:
        typer.echo(f"{out} cannot be written: {error.strerror}", err=True)
        raise typer.Exit(Exit.NOT_WELL) from None
    facts = {
        "file": str(out),
        "rows": made.rows,
        "bad_rows": made.bad_rows,
        "bytes": made.bytes,
        "seconds": round(time.monotonic() - started, 3),
    }
    print_table([facts], list(facts), json=json)
