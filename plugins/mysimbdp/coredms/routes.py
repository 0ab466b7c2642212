"""Policy: which way the rows of a load go into coredms."""

from __future__ import annotations

from typing import Any

from mysimbdp.connections import COREDMS, connection
from mysimbdp.coredms.batching import read_limits
from mysimbdp.coredms.bulk.columns import is_taken_as_it_is
from mysimbdp.coredms.bulk.target import BulkTarget
from mysimbdp.tenants.model import Table

BULK_FROM_ROWS = 100_000
"""From so many rows on, SSTables win over CQL although a JVM has to start first (decision 009)."""


async def bulk_target(session: Any, table: Table, rows: int) -> BulkTarget | None:
    """Where to hand `rows` rows of `table` over as SSTables; None when they are to go by CQL.

    That is when they are too few, when the table has a set, a map or a user type, when the connection names no place
    that this process can reach, or when the node has peers: an import is for one node alone.

    Raises:
        TransientError: COREDMS_UNREACHABLE or COREDMS_OVERLOADED.
    """
    if rows < BULK_FROM_ROWS or not all(map(is_taken_as_it_is, table.cql_columns.values())):
        return None
    target = BulkTarget.of(connection(COREDMS))
    if target is None or not target.within_reach():
        return None
    return target if (await read_limits(session)).across_partitions else None
