"""The one table printer, and the one place errors become words and exit codes."""

from __future__ import annotations

import json as jsonlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from mysimbdp.errors import Code, Exit, MysimbdpError, Problem

_SERVICE_MISSING = {
    Code.COREDMS_UNREACHABLE,
    Code.COREDMS_OVERLOADED,
    Code.AIRFLOW_UNREACHABLE,
    Code.CONNECTION_MISSING,
    Code.SERVICE_NOT_STARTED,
    Code.PORT_IN_USE,
}
_INVALID_INPUT = {
    Code.TENANT_INVALID,
    Code.TENANT_UNKNOWN,
    Code.TENANT_EXISTS,
    Code.APP_INVALID,
    Code.APP_NOT_FOUND,
    Code.SCHEMA_INCOMPATIBLE,
}


def print_table(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, json: bool = False, title: str | None = None
) -> None:
    """Print `rows` as a table of `columns`, or as a JSON list of whole rows.

    A value that is missing or None is an empty cell; in JSON, rows keep all their keys, also those not in `columns`.
    """
    if json:
        print_json(list(rows))
        return
    from rich.console import Console  # noqa: PLC0415  # --help and --json need no table
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(title=title, title_justify="left", header_style="bold")
    numeric = {name for name in columns if any(isinstance(row.get(name), int | float) for row in rows)}
    for name in columns:
        table.add_column(name, justify="right" if name in numeric else "left", overflow="fold")
    for row in rows:
        # Text, not markup: a customer's file may be called [red].
        table.add_row(*(Text(_cell(row.get(name))) for name in columns))
    console = Console()
    if not console.is_terminal:  # a pipe has no width: there every line is as long as it needs to be
        console = Console(width=_width(rows, columns))
    console.print(table)


def print_json(value: Any) -> None:
    """Print one JSON document; dates and paths become strings, bytes hexadecimal digits."""
    sys.stdout.write(jsonlib.dumps(value, indent=2, ensure_ascii=False, default=_plain) + "\n")


def print_error(error: MysimbdpError) -> Exit:
    """Say what went wrong on stderr and return the exit code it stands for."""
    problem = error.problem
    place = f"{problem.where}: " if problem.where else ""
    sys.stderr.write(f"{place}{problem.what} [{problem.code}]\n  {problem.advice}\n")
    return exit_code(problem)


def exit_code(problem: Problem) -> Exit:
    """The exit code of a command that ended with `problem`."""
    if problem.code in _SERVICE_MISSING:
        return Exit.SERVICE_MISSING
    return Exit.INVALID_INPUT if problem.code in _INVALID_INPUT else Exit.NOT_WELL


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.2f}"
    return str(value)


def _width(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> int:
    widest = (max([len(name), *(len(_cell(row.get(name))) for row in rows)]) for name in columns)
    return sum(width + 3 for width in widest) + 1


def _plain(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
