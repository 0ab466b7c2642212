"""`mysimbdp bench`: figures with their peers, from services it starts for the purpose."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from mysimbdp.cli.output import print_json, print_table

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
    from mysimbdp.bench.latency import measure  # noqa: PLC0415
    from mysimbdp.settings import REPOSITORY  # noqa: PLC0415

    logging.disable(logging.WARNING)  # standard output is for the result alone
    counts = [int(word) for word in tenants.split(",")]
    result = measure(
        counts,
        drops=drops,
        rest_seconds=rest,
        home=(home or REPOSITORY / ".onebox-bench").resolve(),
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
