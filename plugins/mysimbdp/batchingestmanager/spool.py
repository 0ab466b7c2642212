"""Between app and loader: typed rows and rejected rows of one file, on disk until the verdict.

The spool makes the verdict possible before a row lands, and lets a load that was interrupted go on without
running the tenant's app again.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa

from mysimbdp.coredms.types import arrow_type
from mysimbdp.landing.moving import sync_folder
from mysimbdp.quality.rejects import RejectedRow
from mysimbdp.tenants.model import Table

SUMMARY = "spool.json"
LOADING = "loading"


@dataclass(frozen=True, slots=True)
class Spooled:
    """A finished spool in `folder`: what lies in it, and what made it. `token` names its two files."""

    folder: Path
    maker: str
    token: str
    rows_read: int
    rows_rejected: int
    app_seconds: float

    @property
    def rejected_path(self) -> Path:
        """The rejected rows, one JSON a line."""
        return self.folder / f"rejected.{self.token}.jsonl"

    @property
    def rows_path(self) -> Path:
        """The typed rows, an Arrow stream; no bytes when all were rejected."""
        return self.folder / f"rows.{self.token}.arrows"

    @property
    def keys_path(self) -> Path:
        """The keys of the rows, once the load begins: see coredms/keyfile.py."""
        return self.folder / f"keys.{self.token}.parquet"

    def rows(self, skip: int = 0, *, columns: Collection[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The typed rows after the first `skip`, batch by batch, with all columns or those named; nothing when all
        were rejected."""
        if self.rows_path.stat().st_size == 0:
            return
        with pa.OSFile(str(self.rows_path), "rb") as source:
            options = pa.ipc.IpcReadOptions()
            if columns is not None:
                with pa.ipc.open_stream(source) as reader:
                    options.included_fields = [reader.schema.get_field_index(name) for name in columns]
                source.seek(0)
            reader = pa.ipc.open_stream(source, options=options)
            for batch in reader:
                if skip < batch.num_rows:
                    yield batch.slice(skip)
                skip = max(skip - batch.num_rows, 0)


class SpoolWriter:
    """Writes a spool; it only counts as finished once `finish` was called, and goes if it never is.

    Each writer has files of its own: one that has lost its lease without knowing cannot spoil another's.

    All batches get the table's columns: an app may leave an optional column out of one batch and not of the
    next. What is null is not written to Cassandra (UNSET), so a column that is missing and one that is null are
    the same.
    """

    def __init__(self, folder: Path, table: Table) -> None:
        fields = [pa.field(name, arrow_type(column.type)) for name, column in table.columns.items()]
        self._schema = pa.schema([*fields, pa.field("_source", pa.int64())])
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._draft = Spooled(folder, "", secrets.token_hex(8), 0, 0, 0.0)
        self._rows: pa.RecordBatchStreamWriter | None = None
        self._sink = pa.OSFile(str(self._draft.rows_path), "wb")
        self._rejected = self._draft.rejected_path.open("w", encoding="utf-8")
        self._kept = False
        self.rows = 0
        self.rows_rejected = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # closing writes: on a full disk the fault on its way says why
            self._close()
        if not self._kept:
            self._draft.rows_path.unlink(missing_ok=True)
            self._draft.rejected_path.unlink(missing_ok=True)

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
        """Declare the spool complete; returns it, or the one of another writer that is being loaded already."""
        self._close()
        folder, token = self._draft.folder, self._draft.token
        spooled = Spooled(folder, maker, token, self.rows + self.rows_rejected, self.rows_rejected, app_seconds)
        facts = {name: getattr(spooled, name) for name in Spooled.__slots__ if name != "folder"}
        draft = folder / f"{SUMMARY}.{token}.part"
        draft.write_text(json.dumps(facts))
        try:
            os.link(draft, folder / SUMMARY)
        except FileExistsError:
            there = finished_spool(folder, maker)
            if there is not None:
                return there
            draft.replace(folder / SUMMARY)
        finally:
            draft.unlink(missing_ok=True)
        self._kept = True
        return spooled

    def _close(self) -> None:
        rows, self._rows = self._rows, None
        try:
            if rows is not None:
                rows.close()
        finally:
            self._sink.close()
            self._rejected.close()


def finished_spool(folder: Path, maker: str | None = None) -> Spooled | None:
    """The spool an earlier attempt finished, if the same app and tables made it (None: whoever did).

    Once its load has begun it is the file's spool for good: rows of two spools would mix in the table.
    """
    try:
        spooled = Spooled(folder, **json.loads((folder / SUMMARY).read_text()))
    except FileNotFoundError:
        return None
    return spooled if maker in {None, spooled.maker} or load_has_begun(folder) else None


def mark_loading(folder: Path) -> None:
    """Write down, before the first row goes to coredms, that rows may be there from now on."""
    (folder / LOADING).touch()
    sync_folder(folder)


def load_has_begun(folder: Path) -> bool:
    """True when rows of this ingest may be in coredms."""
    return (folder / LOADING).exists()
