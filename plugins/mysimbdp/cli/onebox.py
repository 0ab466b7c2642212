"""`mysimbdp up`, `down` and `status`: the one-machine deployment."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from mysimbdp.cli.output import print_table
from mysimbdp.errors import Exit

if TYPE_CHECKING:
    from mysimbdp.onebox.onebox import Onebox


def mount(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    app.command()(up)
    app.command()(down)
    app.command()(status)


def up(
    *,
    only_coredms: Annotated[bool, typer.Option(help="Start Cassandra alone, without PostgreSQL and Airflow.")] = False,
) -> None:
    """Start Cassandra, PostgreSQL and Airflow on this machine and wait until each is well.

    What already runs and is configured as asked is left alone, so it is safe to repeat.
    Everything listens on 127.0.0.1 or on a unix socket. Data, logs and passwords are below MYSIMBDP_HOME.

    Exit codes: 0 all is well; 3 a service did not start or its port is taken.

    Examples:

        mysimbdp up

        MYSIMBDP_PARALLELISM=8 MYSIMBDP_CASSANDRA_HEAP=2G mysimbdp up

        MYSIMBDP_HOME=/data/second MYSIMBDP_PORT_OFFSET=100 mysimbdp up
    """
    from mysimbdp.onebox.display import following  # noqa: PLC0415
    from mysimbdp.onebox.onebox import Onebox  # noqa: PLC0415

    onebox = Onebox()
    with following() as tell:
        onebox.up(tell, only_coredms=only_coredms)
    say_addresses(onebox, only_coredms=only_coredms)


def say_addresses(onebox: Onebox, *, only_coredms: bool = False) -> None:
    """Print where everything is and how to log in."""
    if not only_coredms:
        typer.echo(f"Airflow:  http://127.0.0.1:{onebox.ports.airflow}  login admin, password {onebox.password()}")
    typer.echo(f"coredms:  127.0.0.1:{onebox.ports.cassandra_native}")
    typer.echo(f"settings: {onebox.env_file}")


def down() -> None:
    """Stop everything this machine's deployment started; data stays.

    No process is left behind, also after a start that was interrupted. Safe to repeat.

    Exit codes: 0 nothing runs any more.

    Examples:

        mysimbdp down

        MYSIMBDP_HOME=/data/second mysimbdp down
    """
    from mysimbdp.onebox.display import following  # noqa: PLC0415
    from mysimbdp.onebox.onebox import Onebox  # noqa: PLC0415

    with following() as tell:
        Onebox().down(tell)


def status(*, json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False) -> None:
    """Show how each service is, by asking it.

    Exit codes: 0 all are well; 1 at least one is not.

    Examples:

        mysimbdp status

        mysimbdp status --json | python3 -m json.tool
    """
    from mysimbdp.onebox.onebox import Onebox  # noqa: PLC0415

    states = Onebox().status()
    rows = [
        {
            "service": state.service,
            "well": state.well,
            "detail": state.detail,
            "pid": state.pid,
            "address": state.address,
            "up_seconds": round(time.time() - state.since) if state.since else None,
            "memory_mb": round(state.memory / 1e6),
        }
        for state in states
    ]
    print_table(rows, ("service", "well", "detail", "pid", "address", "up_seconds", "memory_mb"), json=json)
    if not all(state.well for state in states):
        raise typer.Exit(Exit.NOT_WELL)
