"""Policy: which neighbouring rows go to the server in one unlogged batch.

The server is the limit, and it likes fewer, larger mutations: rows of one partition are one mutation, whose size it
does not hold against the batch. A batch over several partitions must stay below `batch_size_fail_threshold`, and
spares the server work only where one node owns them all.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import acsylla
import pyarrow as pa
import pyarrow.compute as pc

from mysimbdp.coredms.faults import fault_of

log = logging.getLogger(__name__)

DEFAULT_FAIL_THRESHOLD_BYTES = 50 * 1024
_UNITS = {"B": 1, "KIB": 1024, "MIB": 1024**2, "GIB": 1024**3}


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How much one batch may hold; bytes are counted as `binding.row_widths` does."""

    across_partitions: bool
    """Whether rows of different partitions may share a batch (a cluster of one node)."""
    max_bytes_across: int = DEFAULT_FAIL_THRESHOLD_BYTES // 2
    max_rows_across: int = 32
    max_bytes_within: int = 64 * 1024
    max_rows_within: int = 128

    @property
    def requests_at_once(self) -> int:
        """How many requests keep the servers busy without queueing there."""
        return 48 if self.across_partitions else 256


async def read_limits(session: Any) -> BatchLimits:
    """Ask the server for its batch threshold and whether it is alone.

    Raises:
        TransientError: COREDMS_UNREACHABLE or COREDMS_OVERLOADED.
    """
    try:
        peers = await session.execute(acsylla.create_statement("SELECT peer FROM system.peers_v2 LIMIT 1"))
        alone = not list(peers)
    except Exception as error:
        raise fault_of(error) from error
    return BatchLimits(across_partitions=alone, max_bytes_across=await _fail_threshold(session) // 2)


async def _fail_threshold(session: Any) -> int:
    """`batch_size_fail_threshold` in bytes; the settings are a virtual table that a role may not be let to read."""
    query = "SELECT value FROM system_views.settings WHERE name = 'batch_size_fail_threshold'"
    try:
        text = (await session.execute(acsylla.create_statement(query))).first()["value"]
        number, unit = re.fullmatch(r"(\d+)\s*([KMG]iB|B)", text, re.IGNORECASE).groups()  # type: ignore[union-attr]  # no match: the fallback below
        return int(number) * _UNITS[unit.upper()]
    except Exception as error:  # noqa: BLE001  # whatever the reason, the server's default is safe
        log.info("batch_size_fail_threshold is not readable, taking the default of 50 KiB: %s", error)
        return DEFAULT_FAIL_THRESHOLD_BYTES


def by_partition(rows: pa.RecordBatch, partition_key: Sequence[str]) -> pa.RecordBatch:
    """The same rows with those of one partition beside each other, the order within a partition kept."""
    order = pc.sort_indices(rows, sort_keys=[(name, "ascending") for name in partition_key])
    return rows.take(order)


def partition_starts(rows: pa.RecordBatch, partition_key: Sequence[str]) -> list[int]:
    """Indices at which a row belongs to another partition than the row before; 0 is always one of them."""
    if rows.num_rows <= 1:
        return [0] * rows.num_rows
    changed: Any = pa.scalar(value=False)
    for name in partition_key:
        column = rows.column(name)
        changed = pc.or_(changed, pc.not_equal(column.slice(1), column.slice(0, rows.num_rows - 1)))
    changes: list[int] = pc.indices_nonzero(pc.coalesce(changed, pa.scalar(value=True))).to_pylist()
    return [0, *(index + 1 for index in changes)]


def batches(starts: Sequence[int], widths: Sequence[int], limits: BatchLimits) -> Iterator[range]:
    """Cut rows 0..len(widths)-1 into batches of neighbours; `starts` are the partitions' first rows."""
    rows = len(widths)
    gathered = range(0)
    gathered_bytes = 0
    for position, start in enumerate(starts):
        stop = starts[position + 1] if position + 1 < len(starts) else rows
        size = sum(widths[start:stop])
        small = stop - start <= limits.max_rows_across // 2 and size <= limits.max_bytes_across // 2
        fits = (
            len(gathered) + stop - start <= limits.max_rows_across and gathered_bytes + size <= limits.max_bytes_across
        )
        if limits.across_partitions and small and fits:
            gathered = range(gathered.start if gathered else start, stop)
            gathered_bytes += size
            continue
        if gathered:
            yield gathered
        if limits.across_partitions and small:
            gathered, gathered_bytes = range(start, stop), size
        else:
            gathered, gathered_bytes = range(0), 0
            yield from _within(start, stop, widths, limits)
    if gathered:
        yield gathered


def _within(start: int, stop: int, widths: Sequence[int], limits: BatchLimits) -> Iterator[range]:
    first, size = start, 0
    for row in range(start, stop):
        if row > first and (row - first >= limits.max_rows_within or size + widths[row] > limits.max_bytes_within):
            yield range(first, row)
            first, size = row, 0
        size += widths[row]
    yield range(first, stop)
