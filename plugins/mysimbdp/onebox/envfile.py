"""The environment file: KEY='value' lines that a shell can source and the CLI reads at its start."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from mysimbdp.onebox.secrets import write_private


def write(path: Path, variables: Mapping[str, str]) -> None:
    """Write `variables` to `path`, readable by the owner alone."""
    lines = [f"{key}={_quoted(value)}" for key, value in sorted(variables.items())]
    heading = "# Made by `mysimbdp up`. Holds passwords. Use: set -a; . <this file>; set +a"
    write_private(path, "\n".join([heading, *lines]) + "\n")


def _quoted(value: str) -> str:
    # Always in quotes, where shlex.quote would leave plain words bare.
    return "'" + value.replace("'", "'\"'\"'") + "'"


def read(path: Path) -> dict[str, str]:
    """The variables in `path`; none when there is no such file."""
    if not path.exists():
        return {}
    words = shlex.split(path.read_text(), comments=True)
    return dict(word.split("=", 1) for word in words)


def load(path: Path) -> None:
    """Put the variables of `path` into this process's environment; what is already set there stays."""
    for key, value in read(path).items():
        os.environ.setdefault(key, value)
