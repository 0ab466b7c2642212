"""Every expected row, worked out with pandas from the customers' own files, against a plain driver's SELECT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mysimbdp.clients.expected import differences, expected_rows
from mysimbdp.coredms.hook import hook_session
from mysimbdp.tenants.model import Tenant


@dataclass(frozen=True, slots=True)
class Comparison:
    """One table: rows expected and found, a few of the rows, and what is wrong (nothing, it should be)."""

    table: str
    expected: int
    found: int
    sample: list[dict[str, Any]]
    wrong: list[str]


def compare(tenant: Tenant, files: Sequence[Path]) -> list[Comparison]:
    """Compare all rows and values of the tenant's tables; later files replace earlier ones with the same key."""
    comparisons = []
    with hook_session() as session:
        for name, frame in expected_rows(tenant.tenant, files).items():
            table = tenant.tables[name]
            key = [*table.cql_partition_key, *table.cql_clustering_key]
            frame = frame.drop_duplicates(subset=key, keep="last")  # noqa: PLW2901  # the same table, as it must end
            rows = _select(session, f"{tenant.keyspace}.{name}", list(frame.columns))
            wrong = differences(frame, rows, key)
            comparisons.append(Comparison(f"{tenant.keyspace}.{name}", len(frame), len(rows), rows[:3], wrong))
    return comparisons


def _select(session: Any, table: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    quoted = ", ".join(f'"{column}"' for column in columns)
    # By position: the driver's rows rename columns that begin with an underscore.
    return [dict(zip(columns, row, strict=True)) for row in session.execute(f"SELECT {quoted} FROM {table}")]
