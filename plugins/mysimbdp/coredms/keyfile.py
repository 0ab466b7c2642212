"""The keys of one file's rows, kept beside its archived bytes: by them its rows are found again.

A Parquet file with the key's columns and `_source`, in the order of the rows, each key once; of a table whose key is
the file's own digest, `_source` alone, from which that key is made. It holds the table's definition of then, so that
its reader needs no tenant file. Sorted or counting keys take next to nothing, random ones about 5 bytes a row.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mysimbdp.coredms.repeats import Repeats
from mysimbdp.tenants.model import FILE_BUCKET_RECORDS, Table
from mysimbdp.tenants.tabletext import table_from_text, table_to_text

GROUP_ROWS = 65_536
"""Rows of one row group, at most twice as many: what a reader has in memory at once."""
_TABLE = b"mysimbdp.table"
_FILE = b"mysimbdp.file"


@dataclass(frozen=True, slots=True)
class KeyFile:
    """Reads the keys at `path`; `table` is the definition they were written for, `rows` their number."""

    path: Path
    table: Table
    rows: int
    file_digest: str

    def keys(self) -> Iterator[pa.RecordBatch]:
        """Every key in order, as the table's key columns and `_source`; a row group at a time."""
        with pq.ParquetFile(self.path) as file:
            for group in range(file.num_row_groups):
                yield self._completed(file.read_row_group(group))

    def sample(self, count: int, random: Random) -> pa.RecordBatch:
        """At most `count` keys, chosen at random from one row group."""
        with pq.ParquetFile(self.path) as file:
            group = self._completed(file.read_row_group(random.randrange(file.num_row_groups)))
        chosen = random.sample(range(group.num_rows), min(count, group.num_rows))
        return group.take(pa.array(sorted(chosen), pa.int64()))

    def _completed(self, group: pa.Table) -> pa.RecordBatch:
        batch = group.combine_chunks().to_batches()[0]
        if self.table.has_natural_key:
            return batch
        source = batch.column("_source")
        return pa.RecordBatch.from_pydict(
            {
                "_file": pa.array([self.file_digest] * batch.num_rows, pa.utf8()),
                "_bucket": pc.divide(source, FILE_BUCKET_RECORDS),
                "_record": source,
                "_source": source,
            }
        )


def open_keys(path: Path) -> KeyFile | None:
    """The keys at `path`, or None when there are none."""
    try:
        with pq.ParquetFile(path) as file:
            facts: dict[bytes, bytes] = file.schema_arrow.metadata
            table = table_from_text(facts[_TABLE].decode())
            return KeyFile(path, table, file.metadata.num_rows, facts[_FILE].decode())
    except FileNotFoundError:
        return None


def write_keys(path: Path, rows: Iterable[pa.RecordBatch], table: Table, file_digest: str) -> int:
    """Write the keys of `rows` to `path`; returns how many rows were left out because a later one has their key.

    Memory is bounded by GROUP_ROWS rows and by what Repeats needs, whatever the size of the file.
    """
    names = [*table.partition_key, *table.clustering_key] if table.has_natural_key else []
    facts = {_TABLE: table_to_text(table).encode(), _FILE: file_digest.encode()}
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}.part")
    all_of_them = draft.with_suffix(".all")

    def watched(repeats: Repeats) -> Iterator[pa.RecordBatch]:
        for group in _groups(rows, [*names, "_source"]):
            repeats.add(group.select(names or ["_source"]))
            yield group.replace_schema_metadata(facts)

    try:
        with Repeats(path.parent) as repeats:
            _write(draft, watched(repeats))
            repeated = repeats.repeated()
        if repeated is None:
            draft.rename(path)
            return 0
        draft.rename(all_of_them)
        _write(draft, _without(all_of_them, repeated))
        draft.rename(path)
        return int(repeated.sum())
    finally:
        draft.unlink(missing_ok=True)
        all_of_them.unlink(missing_ok=True)


def _write(path: Path, groups: Iterator[pa.RecordBatch]) -> None:
    first = next(groups, None)
    if first is None:
        raise ValueError("a file without rows has no keys")
    with pq.ParquetWriter(path, first.schema, **_options(first.schema)) as writer:
        for group in chain([first], groups):
            writer.write_batch(group, row_group_size=2 * GROUP_ROWS)


def _without(path: Path, dropped: Any) -> Iterator[pa.RecordBatch]:
    start = 0
    with pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            group = file.read_row_group(number).combine_chunks().to_batches()[0]
            kept = group.filter(pa.array(~dropped[start : start + group.num_rows]))
            start += group.num_rows
            if kept.num_rows:
                yield kept


def _groups(rows: Iterable[pa.RecordBatch], names: list[str]) -> Iterator[pa.RecordBatch]:
    """The columns `names`, in batches of GROUP_ROWS or a little more: an app's own may be tiny."""
    gathered: list[pa.RecordBatch] = []
    for batch in rows:
        gathered.append(batch.select(names))
        if sum(one.num_rows for one in gathered) >= GROUP_ROWS:
            yield pa.concat_batches(gathered)
            gathered = []
    if gathered:
        yield pa.concat_batches(gathered)


def _options(schema: pa.Schema) -> dict[str, Any]:
    encodings = {field.name: encoding for field in schema if (encoding := _encoding(field.type))}
    return {"compression": "zstd", "use_dictionary": False, "column_encoding": encodings, "write_statistics": False}


def _encoding(kind: pa.DataType) -> str | None:
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        return "DELTA_BYTE_ARRAY"
    if pa.types.is_integer(kind) or pa.types.is_temporal(kind):
        return "DELTA_BINARY_PACKED"
    return None
