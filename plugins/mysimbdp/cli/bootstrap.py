"""`mysimbdp bootstrap-coredms`: makes the platform's role in a Cassandra that somebody else started."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from mysimbdp.errors import Code, Problem, TransientError

_PAUSE_SECONDS = 2.0


def mount(app: typer.Typer) -> None:
    """Add this module's command to the command line."""
    app.command("bootstrap-coredms")(bootstrap_coredms)


def bootstrap_coredms(
    *,
    superuser_password: Annotated[
        str,
        typer.Option(
            envvar="MYSIMBDP_COREDMS_SUPERUSER_PASSWORD",
            help="What the superuser cassandra is to have. Give it by the environment: others see arguments.",
            show_default=False,
        ),
    ],
    timeout: Annotated[float, typer.Option(min=0, help="Longest wait for Cassandra, in seconds.")] = 300.0,
) -> None:
    """Wait for Cassandra, make the platform's role in it and change the stock superuser's password.

    Address, role password and port come from the Airflow connection mysimbdp_coredms. Safe to repeat.
    On one machine `mysimbdp up` does this by itself; `docker compose up` uses this command.

    Exit codes: 0 the platform can log in; 3 it cannot.

    Examples:

        MYSIMBDP_COREDMS_SUPERUSER_PASSWORD=… mysimbdp bootstrap-coredms --timeout 120
    """
    from mysimbdp.connections import COREDMS, connection  # noqa: PLC0415  # --help stays fast
    from mysimbdp.onebox.roles import why_not_ready  # noqa: PLC0415

    found = connection(COREDMS)
    deadline = time.monotonic() + timeout
    while why := why_not_ready(found.port, superuser_password, found.password, host=found.host):
        if time.monotonic() > deadline:
            what = f"{found.host}:{found.port} after {timeout:.0f} s: {why}"
            raise TransientError(Problem(Code.COREDMS_UNREACHABLE, what))
        time.sleep(_PAUSE_SECONDS)
    typer.echo(f"{found.host}:{found.port}: the role {found.login} can log in")
