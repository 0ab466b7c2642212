"""Our writers: the whole way of a file, and the bare loader beside it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from mysimbdp.bench.writers.job import Job


def ingest(job: Job) -> list[str]:
    """`mysimbdp ingest`: private copy, claim, built-in app, gate, spool, loader, ledger, receipt, archive."""
    command = Path(sys.executable).with_name("mysimbdp")
    return [str(command), "ingest", str(job.file), "--tenant", job.tenant, "--json"]


def loader(job: Job) -> list[str]:
    """The loader alone, from rows that are parsed and typed before the clock starts."""
    return [sys.executable, "-m", "mysimbdp.bench.writers.bare_loader", str(job.file), job.tenant]


def stages(output: Path) -> dict[str, float]:
    """Seconds by stage, as `ingest` tells them in the file `output`; nothing from other writers."""
    text = output.read_text(errors="replace")
    if not text.startswith("["):
        return {}
    told: list[dict[str, dict[str, float]]] = json.loads(text)
    return told[0]["seconds_by_stage"]
