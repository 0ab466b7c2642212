"""Cuts a stream of Arrow batches, whatever their sizes, into windows of bounded rows and bytes."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable

import pyarrow as pa

WINDOW_ROWS = 4096
WINDOW_BYTES = 8 * 1024 * 1024


async def windows(
    source: AsyncIterable[pa.RecordBatch] | Iterable[pa.RecordBatch],
) -> AsyncIterator[pa.RecordBatch]:
    """Yield the rows of `source` in order: neighbouring small batches of one schema joined, large ones sliced.

    A window holds at most WINDOW_ROWS rows and about WINDOW_BYTES bytes (a single larger row comes alone).
    """
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    async for piece in _pieces(source):
        full = rows + piece.num_rows > WINDOW_ROWS or size + piece.nbytes > WINDOW_BYTES
        if waiting and (full or not piece.schema.equals(waiting[0].schema)):
            yield _joined(waiting)
            waiting, rows, size = [], 0, 0
        waiting.append(piece)
        rows += piece.num_rows
        size += piece.nbytes
    if waiting:
        yield _joined(waiting)


async def _pieces(source: AsyncIterable[pa.RecordBatch] | Iterable[pa.RecordBatch]) -> AsyncIterator[pa.RecordBatch]:
    if isinstance(source, AsyncIterable):
        async for batch in source:
            for piece in _sliced(batch):
                yield piece
    else:
        for batch in source:
            for piece in _sliced(batch):
                yield piece


def _sliced(batch: pa.RecordBatch) -> Iterable[pa.RecordBatch]:
    if batch.num_rows == 0:
        return
    average = max(1, batch.nbytes // batch.num_rows)
    step = max(1, min(WINDOW_ROWS, WINDOW_BYTES // average))
    for start in range(0, batch.num_rows, step):
        yield batch.slice(start, step)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    if len(batches) == 1:
        return batches[0]
    joined: pa.RecordBatch = pa.concat_batches(batches)
    return joined
