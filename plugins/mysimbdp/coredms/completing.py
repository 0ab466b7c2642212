"""Typed rows as they go into a table: with the platform's own columns, whichever route they take."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from mysimbdp.coredms.types import arrow_type
from mysimbdp.tenants.model import FILE_BUCKET_RECORDS, Table


class Completion:
    """Completes rows of one ingest of one file for `table`.

    `ingest_id` fills `_ingest`, `file_digest` and `_source` fill `_file`, `_bucket` and `_record` where the table has
    these columns.
    """

    def __init__(self, table: Table, *, ingest_id: UUID, file_digest: str) -> None:
        self._types = table.cql_columns
        self._constants = {"_ingest": str(ingest_id), "_file": file_digest}

    def completed(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """`rows` with the platform's own columns, in the table's order, without what the table does not keep."""
        columns: dict[str, pa.Array[Any]] = {}
        for name, cql in self._types.items():
            if name in self._constants:
                columns[name] = pa.repeat(pa.scalar(self._constants[name], arrow_type(cql)), rows.num_rows)
                continue
            if name == "_bucket":
                columns[name] = pc.divide(rows.column("_source"), FILE_BUCKET_RECORDS)
                continue
            source = "_source" if name == "_record" else name
            if source in rows.schema.names:
                columns[name] = rows.column(source)
                if columns[name].type != arrow_type(cql):
                    raise TypeError(f"column {name} arrives as {columns[name].type}, not {arrow_type(cql)}")
        return pa.RecordBatch.from_pydict(columns)
