"""What a run is told: the `conf` of its Airflow run, as plain JSON, written by the watcher and read by the tasks."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from mysimbdp.errors import Problem
from mysimbdp.landing.completeness import Kind, Seen
from mysimbdp.ledger.record import Ref
from mysimbdp.tenants.names import dag_id_of

FILES = "files"
ADOPT = "adopt"


def seen_as_json(seen: Seen) -> dict[str, Any]:
    """Names are arbitrary bytes, which JSON cannot hold: they are percent-quoted."""
    facts = asdict(seen)
    return {**facts, "name": quote(os.fsencode(seen.name), safe=" "), "kind": str(seen.kind)}


def seen_from_json(facts: Mapping[str, Any]) -> Seen:
    """The inverse of `seen_as_json`."""
    return Seen(
        name=os.fsdecode(unquote_to_bytes(facts["name"])),
        size=int(facts["size"]),
        mtime_ns=int(facts["mtime_ns"]),
        ctime_ns=int(facts["ctime_ns"]),
        inode=int(facts["inode"]),
        kind=Kind(facts["kind"]),
    )


def inbox_conf(files: Iterable[Seen]) -> dict[str, Any]:
    """Take these files."""
    return {FILES: [seen_as_json(seen) for seen in files], ADOPT: []}


def takeover_conf(refs: Iterable[Ref]) -> dict[str, Any]:
    """Adopt these pending files."""
    return {FILES: [], ADOPT: [str(ref.ingest_id) for ref in refs]}


def broken_conf(tenant: str, problems: list[Problem]) -> tuple[str, str, dict[str, Any]]:
    """DAG, run and conf that show a broken tenant file: one failing run for each version of the fault."""
    text = "\n".join(str(problem) for problem in problems)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return dag_id_of(tenant), f"tenant_file_broken__{digest}", {"problems": [p.as_dict() for p in problems]}
