"""The command `mysimbdp`: mounts one module a command group. To add a group, add a line to `build`."""

from __future__ import annotations

import sys

import typer

from mysimbdp.cli import (
    audit,
    bench,
    bootstrap,
    fetchdata,
    generate,
    housekeeping,
    ingest,
    ledger,
    onebox,
    purge,
    run,
    switches,  # noqa: F401  # adds its commands to tenants
    tenants,
)
from mysimbdp.cli.output import print_error
from mysimbdp.errors import MysimbdpError

_EPILOG = (
    "Exit codes: 0 done and well; 1 the thing asked about is not well; 2 wrong usage; "
    "3 a service is missing; 4 a configuration file or input is invalid."
)


def build() -> typer.Typer:
    """The whole command line. Group modules import what is heavy inside their commands: --help stays fast."""
    app = typer.Typer(
        help="mysimbdp: multi-tenant big-data ingestion on Apache Airflow and Apache Cassandra.",
        epilog=_EPILOG,
        no_args_is_help=True,
        pretty_exceptions_show_locals=False,  # locals may hold passwords
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    run.mount(app)
    onebox.mount(app)
    generate.mount(app)
    tenants.mount(app)
    ingest.mount(app)
    ledger.mount(app)
    purge.mount(app)
    audit.mount(app)
    housekeeping.mount(app)
    bench.mount(app)
    fetchdata.mount(app)
    bootstrap.mount(app)
    return app


def main() -> None:
    """Entry point of the console script: reads the onebox's environment file, runs, turns errors into exit codes."""
    from mysimbdp.onebox import envfile  # noqa: PLC0415
    from mysimbdp.settings import settings  # noqa: PLC0415

    envfile.load(settings().home / "env")
    settings.cache_clear()  # the file may have said more
    try:
        build()()
    except MysimbdpError as error:
        sys.exit(print_error(error))
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)  # what a shell expects of a program ended by Ctrl-C
