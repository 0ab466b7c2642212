"""Runs a few lines of shell or Python as a tenant's app."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mysimbdp.apps.contract import OutputKind
from mysimbdp.apps.limits import AppLimits
from mysimbdp.apps.registry import App
from mysimbdp.apps.runner import run_app
from mysimbdp.quality.rejects import RejectedRow
from mysimbdp.tenants.model import FileFormat, Table

TABLE = Table.model_validate({"columns": {"a": "text", "n": {"type": "int", "from": "N"}}, "partition_key": ["a"]})


@dataclass
class Ran:
    rows: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)
    garbage: int = 0


def shell(script: str) -> tuple[str, ...]:
    return ("/bin/bash", "-c", script)


def python(script: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-c", script)


def run(
    argv: tuple[str, ...],
    input_path: Path,
    *,
    output: OutputKind = "jsonl",
    file_format: FileFormat = "csv",
    file_name: str | None = None,
    limits: AppLimits | None = None,
    table: Table = TABLE,
) -> Ran:
    """Run an app to its end; what it raises is raised."""
    ran = Ran()
    with run_app(
        App("test", "1", "digest", argv, output, None),
        tenant="atlas",
        input_path=input_path,
        file_name=file_name or input_path.name,
        file_format=file_format,
        table_name="things",
        table=table,
        limits=limits or AppLimits(timeout_seconds=20),
        log=logging.getLogger("app"),
    ) as running:
        for batch in running.batches():
            ran.rows.extend(batch.to_pylist())
            ran.rejected.extend(running.rejected_rows())
        ran.rejected.extend(running.rejected_rows())
        ran.garbage = running.garbage_reported
    return ran
