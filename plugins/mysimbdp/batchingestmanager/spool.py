"""Between app and loader: typed rows and rejected rows of one file, on disk until the verdict.

The spool makes the verdict possible before a row lands, and lets a load that was interrupted go on without
running the tenant's app again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from mysimbdp.coredms.types import arrow_type
from mysimbdp.quality.rejects import RejectedRow
from mysimbdp.tenants.model import Table

ROWS = "rows.arrows"
REJECTED = "rejected.jsonl"
SUMMARY = "spool.json"


@dataclass(frozen=True, slots=True)
class Spooled:
    """What lies in a finished spool, and what made it: `maker` must fit for the spool to be used again."""

    maker: str
    rows_read: int
    rows_rejected: int
    app_seconds: float


class SpoolWriter:
    """Writes a spool; it only counts as finished once `finish` was called.

    All batches get the table's columns: an app may leave an optional column out of one batch and not of the
    next. What is null is not written to Cassandra (UNSET), so a column that is missing and one that is null are
    the same.
    """

    def __init__(self, folder: Path, table: Table) -> None:
        self._folder = folder
        fields = [pa.field(name, arrow_type(column.type)) for name, column in table.columns.items()]
        self._schema = pa.schema([*fields, pa.field("_source", pa.int64())])
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / SUMMARY).unlink(missing_ok=True)
        self._rows: pa.RecordBatchStreamWriter | None = None
        self._sink = pa.OSFile(str(folder / ROWS), "wb")
        self._rejected = (folder / REJECTED).open("w", encoding="utf-8")
        self.rows = 0
        self.rows_rejected = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def add(self, rows: pa.RecordBatch, rejected: list[RejectedRow]) -> None:
        """Append typed rows and rejected rows."""
        if rows.num_rows:
            if self._rows is None:
                options = pa.ipc.IpcWriteOptions(compression="lz4")
                self._rows = pa.ipc.new_stream(self._sink, self._schema, options=options)
            self._rows.write_batch(self._padded(rows))
            self.rows += rows.num_rows
        self.reject(rejected)

    def reject(self, rejected: Iterable[RejectedRow]) -> None:
        """Append rejected rows alone."""
        for row in rejected:
            self._rejected.write(json.dumps(row.as_dict(), ensure_ascii=False) + "\n")
            self.rows_rejected += 1

    def _padded(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        given = set(rows.schema.names)
        columns = [
            rows.column(field.name) if field.name in given else pa.nulls(rows.num_rows, field.type)
            for field in self._schema
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self._schema)

    def finish(self, maker: str, app_seconds: float) -> Spooled:
        """Declare the spool complete."""
        spooled = Spooled(maker, self.rows + self.rows_rejected, self.rows_rejected, app_seconds)
        self._close()
        draft = self._folder / f"{SUMMARY}.part"
        draft.write_text(json.dumps(asdict(spooled)))
        draft.rename(self._folder / SUMMARY)
        return spooled

    def _close(self) -> None:
        rows, self._rows = self._rows, None
        if rows is not None:
            rows.close()
        self._sink.close()
        self._rejected.close()


def finished_spool(folder: Path, maker: str) -> Spooled | None:
    """The spool an earlier attempt finished, if the same app and tables made it."""
    try:
        spooled = Spooled(**json.loads((folder / SUMMARY).read_text()))
    except FileNotFoundError:
        return None
    return spooled if spooled.maker == maker else None


def spooled_rows(folder: Path) -> Iterator[pa.RecordBatch]:
    """The typed rows, batch by batch; nothing when all were rejected."""
    path = folder / ROWS
    if path.stat().st_size == 0:
        return
    with pa.OSFile(str(path), "rb") as source, pa.ipc.open_stream(source) as reader:
        yield from reader


def rejected_rows(folder: Path, limit: int) -> list[dict[str, Any]]:
    """The first `limit` rejected rows as data."""
    rows: list[dict[str, Any]] = []
    try:
        with (folder / REJECTED).open(encoding="utf-8") as lines:
            for line in lines:
                if len(rows) >= limit:
                    break
                rows.append(json.loads(line))
    except FileNotFoundError:
        return []
    return rows
