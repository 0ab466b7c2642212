"""Parquet: native types, row group by row group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa
from pyarrow import parquet

from mysimbdp.errors import Code
from mysimbdp.formats.faults import Note, file_fault
from mysimbdp.formats.fieldnames import Field
from mysimbdp.formats.header import select_columns

_BATCH_ROWS = 16_384


def read_parquet(stream: BinaryIO, fields: Sequence[Field] | None, note: Note) -> Iterator[pa.RecordBatch]:
    """Yield the rows of `stream` (seekable) in their native types plus `_source`; there are no lines.

    Raises:
        TerminalError: FORMAT_MISMATCH, STRUCTURE_INVALID, FILE_NO_ROWS, HEADER_MISSING_COLUMN.
    """
    try:
        file = parquet.ParquetFile(stream, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise file_fault(Code.FORMAT_MISMATCH, f"it is not a Parquet file: {error}") from None
    if not file.metadata.num_rows:
        raise file_fault(Code.FILE_NO_ROWS, "there is a schema and no row")
    selected = [name for _, name in select_columns(file.schema_arrow.names, fields, None, note)]
    read = 0
    try:
        for batch in file.iter_batches(_BATCH_ROWS, columns=selected, use_threads=False):
            numbers = pa.array(range(read + 1, read + batch.num_rows + 1), pa.int64())
            read += batch.num_rows
            yield pa.RecordBatch.from_arrays([*batch.columns, numbers], names=[*batch.schema.names, "_source"])
    except (pa.ArrowException, OSError) as error:
        what = f"after {read} rows it cannot be read on: {error}"
        raise file_fault(Code.STRUCTURE_INVALID, what) from None
