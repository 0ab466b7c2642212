"""Tenants and files made up for benchmarks: one table with a natural key, 14 columns, about 125 bytes a row."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

COLUMNS = {
    "id": "bigint", "name": "text", "city": "text", "kind": "text", "score": "double", "price": "decimal",
    "amount": "int", "active": "boolean", "born": "date", "seen": "timestamp", "a": "int", "b": "int",
    "c": "int", "note": "text",
}  # fmt: skip


def write_tenants(folder: Path, count: int) -> list[str]:
    """Write `count` tenant files below `folder` and return their ids."""
    names = [f"bench{number:03d}" for number in range(count)]
    for name in names:
        write_tenant(folder, name, {"events": {"columns": COLUMNS, "partition_key": ["id"]}})
    return names


def write_tenant(folder: Path, name: str, tables: dict[str, object]) -> None:
    """Write the file of a tenant with room for anything a benchmark sends."""
    facts = {
        "tenant": name,
        "constraints": {"max_nb_files": 100_000, "max_file_size": 1_000_000, "allowed_file_format": ["csv"]},
        "tables": tables,
    }
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / "tenant.yaml").write_text(yaml.safe_dump(facts, sort_keys=False))


def write_events(path: Path, *, first_id: int, rows: int) -> None:
    """Write a CSV of `rows` rows with ids from `first_id`; no two files of a run have the same bytes."""
    with path.open("w", encoding="utf-8") as out:
        out.write(",".join(COLUMNS) + "\n")
        out.writelines(event(number, number % 11) for number in range(first_id, first_id + rows))


def event(number: int, a: int) -> str:
    """One line of CSV: the row with the id `number`; `a` is its column of that name."""
    return (
        f"{number},name {number},city {number % 97},kind {number % 7},{number / 3:.6f},{number % 1000}.25,"
        f"{number % 5000},{'true' if number % 2 else 'false'},2026-{number % 12 + 1:02d}-{number % 28 + 1:02d},"
        f"2026-11-{number % 28 + 1:02d}T12:{number % 60:02d}:00Z,{a},{number % 13},{number % 17},"
        f"a note of some length {number}\n"
    )


def machine() -> dict[str, object]:
    """What the figures were taken on."""
    import platform  # noqa: PLC0415  # only where a result is written

    import psutil  # noqa: PLC0415

    return {
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def dumps(result: object) -> str:
    """A result as it is kept in docs/results/."""
    return json.dumps(result, indent=2) + "\n"
