"""`mysimbdp bench`: figures with their peers, from services it starts for the purpose."""

from __future__ import annotations

import logging
import shlex
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from mysimbdp.cli.output import print_json, print_table
from mysimbdp.errors import Exit

group = typer.Typer(help="Benchmarks; each starts what it measures and stops it.", no_args_is_help=True)


def mount(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    app.add_typer(group, name="bench")


@group.callback()
def bench() -> None:
    """Benchmarks; each starts what it measures and stops it."""


@group.command()
def latency(
    *,
    tenants: Annotated[str, typer.Option(help="Numbers of tenants to measure with, e.g. 2,100.")] = "2,100",
    drops: Annotated[int, typer.Option(help="Files dropped for each number of tenants.", min=2)] = 20,
    rest: Annotated[float, typer.Option(help="Seconds over which the cost at rest is taken.", min=1)] = 60,
    home: Annotated[Path | None, typer.Option(help="Folder of the deployment measured; default .onebox-bench.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure drop → rows queryable of a 1,000-row file through a live Airflow, and Airflow's cost at rest.

    The peer is the same file through `mysimbdp ingest`, without Airflow. Every drop's rows are counted in
    Cassandra before its time is taken for good.

    Exit codes: 0; 1 a drop did not land; 3 a service did not start.

    Examples:

        mysimbdp bench latency

        mysimbdp bench latency --tenants 2,100 --drops 20 --json > latency.json
    """
    from mysimbdp.bench.deployment import HOME  # noqa: PLC0415
    from mysimbdp.bench.latency import measure  # noqa: PLC0415

    logging.disable(logging.WARNING)  # standard output is for the result alone
    counts = [int(word) for word in tenants.split(",")]
    result = measure(
        counts,
        drops=drops,
        rest_seconds=rest,
        home=(home or HOME).resolve(),
        tell=lambda text: typer.echo(text, err=True),
    )
    if json:
        print_json(result)
        return
    rows = [
        {
            "tenants": one["tenants"],
            "p50_s": one["drop_to_queryable_seconds"]["p50"],
            "max_s": one["drop_to_queryable_seconds"]["max"],
            "without_airflow_p50_s": one["peer_ingest_without_airflow_seconds"]["p50"],
            "rest_percent_of_a_core": one["airflow_and_postgresql_at_rest"]["total_percent_of_a_core"],
        }
        for one in result["results"]
    ]
    print_table(rows, tuple(rows[0]))


@group.command()
def load(
    *,
    rows: Annotated[int, typer.Option(help="Rows of the file; wide rows are a quarter of it, texts a 20th.", min=1)] = (
        1_000_000
    ),
    shapes: Annotated[str, typer.Option(help="Tables: one, hundred, wide, text.")] = "one,hundred,wide,text",
    peers: Annotated[
        str | None,
        typer.Option(help="row, concurrent, cqlsh, dsbulk, dsbulk-replica-set; default all that can be run."),
    ] = None,
    ours: Annotated[str, typer.Option(help="Our writers beside them: ingest, loader.")] = "ingest,loader",
    rounds: Annotated[int, typer.Option(help="How often all of it is measured; each begins elsewhere.", min=1)] = 1,
    dsbulk_jars: Annotated[
        Path | None, typer.Option(help="Folder with DSBulk's jars.", exists=True, file_okay=False, resolve_path=True)
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Write a picture of the rates, a PNG.", dir_okay=False)] = None,
    home: Annotated[Path | None, typer.Option(help="Folder of the deployment measured; default .onebox-bench.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Load the same file through our loader and through others, on one node that is started for it.

    Each writer gets a fresh table of the same shape, and the node comes to rest before it. Rows are read back and
    counted: a wrong count is a failure and has no rate. `ingest` is a whole `mysimbdp ingest` and, like the bare
    `loader`, also writes two lineage columns a row; the peers write the file's own columns. `row` is rated on 20,000
    rows at most. Times are those of whole programs; of `loader`, `row` and `concurrent`, which are Python, those of
    loading alone. CPU is of all processes of a writer, and of the node until it is at rest again. `ingest_x` and
    `loader_x` say how many times as fast as the writer of the line these are.

    DSBulk is not part of this program: put its jars into a folder, e.g. with jgo (modules runner, workflow-load,
    connectors-csv, codecs-text, codecs-jdk, executor-reactor and batcher-reactor of com.datastax.oss:dsbulk-*, 1.10.0;
    docs/performance.md has the command), or take `lib/` of its archive.

    Exit codes: 0; 1 a writer failed or left rows out, or all was interrupted (what was measured until then is given);
    2 an unknown shape or writer; 3 the node did not start.

    Examples:

        mysimbdp bench load --rows 100000 --shapes one --peers row,concurrent,cqlsh

        mysimbdp bench load --rounds 3 --dsbulk-jars /tmp/dsbulk --plot load.png --json > docs/results/load.json
    """
    from mysimbdp.bench.comparison import COLUMNS, table  # noqa: PLC0415
    from mysimbdp.bench.deployment import HOME  # noqa: PLC0415
    from mysimbdp.bench.load import Plan, measure  # noqa: PLC0415
    from mysimbdp.bench.shapes import SHAPES  # noqa: PLC0415
    from mysimbdp.bench.writers.catalogue import WRITERS  # noqa: PLC0415

    possible = [
        name
        for name, writer in WRITERS.items()
        if not writer.ours and (dsbulk_jars is not None or not writer.needs_dsbulk)
    ]
    chosen = [
        *_known("--ours", ours, [name for name, writer in WRITERS.items() if writer.ours]),
        *(possible if peers is None else _known("--peers", peers, possible)),
    ]
    plan = Plan(_known("--shapes", shapes, list(SHAPES)), chosen, rows, rounds=rounds, dsbulk_jars=dsbulk_jars)
    logging.disable(logging.WARNING)  # standard output is for the result alone
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the node is stopped, the figures are kept
    result = measure(plan, home=(home or HOME).resolve(), tell=lambda text: typer.echo(text, err=True))
    lines = table(result["loads"])
    if plot is not None:
        from mysimbdp.bench.plotting import plot as draw  # noqa: PLC0415

        draw(result["loads"], plot)
    if json:
        print_json({"command": shlex.join(["mysimbdp", *sys.argv[1:]]), **result, "table": lines})
    else:
        ratios = dict.fromkeys(key for line in lines for key in line if key.endswith("_x"))
        print_table(lines, (*COLUMNS, *ratios))
    if result["interrupted"] or any(line["failure"] for line in lines):
        raise typer.Exit(Exit.NOT_WELL)


def _known(option: str, words: str, names: list[str]) -> list[str]:
    """The comma-separated names, each one of `names`, each once."""
    chosen = list(dict.fromkeys(word.strip() for word in words.split(",") if word.strip()))
    for name in chosen:
        if name not in names:
            raise typer.BadParameter(f"{option}: {name!r} is none of {', '.join(names)}")
    return chosen
