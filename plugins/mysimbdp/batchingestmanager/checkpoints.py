"""Policy: where in a load a checkpoint is taken: after whole batches, once so many rows came together."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa


def segments(rows: Iterator[pa.RecordBatch], checkpoint_rows: int) -> Iterator[Iterator[pa.RecordBatch]]:
    """Cut `rows` into runs of batches, each of at least `checkpoint_rows` rows but for the last.

    A run has to be read to its end before the next is asked for.
    """
    for first in rows:
        yield _segment(first, rows, checkpoint_rows)


def _segment(first: pa.RecordBatch, rest: Iterator[pa.RecordBatch], checkpoint_rows: int) -> Iterator[pa.RecordBatch]:
    count = first.num_rows
    yield first
    while count < checkpoint_rows and (batch := next(rest, None)) is not None:
        count += batch.num_rows
        yield batch
