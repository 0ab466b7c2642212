"""Collects records that are dictionaries into Arrow batches of text columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from mysimbdp.errors import Code
from mysimbdp.formats.faults import BadRow, Note, Reject, file_fault
from mysimbdp.formats.fieldnames import Field, candidates, nearest
from mysimbdp.formats.jsontext import text_of

BATCH_ROWS = 16_384
BATCH_BYTES = 8 * 2**20


class RowBatches:
    """Turns added records into batches; with `fields` every batch has all of them, under their `name`."""

    def __init__(self, fields: Sequence[Field] | None, reject: Reject, note: Note) -> None:
        self.records = 0
        """Records added so far."""
        self._fields = fields
        self._reject = reject
        self._note = note
        self._surplus_said = False
        self._rows: list[dict[str, Any]] = []
        self._sources: list[int] = []
        self._lines: list[int] = []
        self._bytes = 0

    def add(self, row: dict[str, Any], source: int, line: int, size: int) -> Iterator[pa.RecordBatch]:
        """Add a record of about `size` bytes; yield a batch when enough have come together."""
        self.records += 1
        self._rows.append(row)
        self._sources.append(source)
        self._lines.append(line)
        self._bytes += size
        if len(self._rows) >= BATCH_ROWS or self._bytes >= BATCH_BYTES:
            yield from self.flush()

    def flush(self) -> Iterator[pa.RecordBatch]:
        """Yield what has been added since the last batch."""
        if not self._rows:
            return
        batch = self._batch()
        self._rows, self._sources, self._lines, self._bytes = [], [], [], 0
        if batch.num_rows:
            yield batch

    def _batch(self) -> pa.RecordBatch:
        present = list(dict.fromkeys(key for row in self._rows for key in row))
        if self._fields is None:
            names = {key: [key] for key in present}
        else:
            names = {
                field.name: candidates(field.name, present) or candidates(field.column, present)
                for field in self._fields
            }
            self._check(names, present)
        texts = {name: self._column(keys) for name, keys in names.items()}
        faulty = {index for column in texts.values() for index, value in enumerate(column) if not _encodable(value)}
        if faulty:
            for index in sorted(faulty):
                bad = BadRow(
                    self._sources[index], self._lines[index], Code.ROW_MALFORMED, "a text is not valid Unicode"
                )
                self._reject(bad)
        kept = [index for index in range(len(self._rows)) if index not in faulty]
        arrays = [pa.array([column[index] for index in kept], pa.utf8()) for column in texts.values()]
        numbers = [
            pa.array([values[index] for index in kept], pa.int64()) for values in (self._sources, self._lines)
        ]
        return pa.RecordBatch.from_arrays([*arrays, *numbers], names=[*texts, "_source", "_line"])

    def _column(self, keys: list[str]) -> list[str | None]:
        if len(keys) == 1:
            values = [row.get(keys[0]) for row in self._rows]
        else:
            values = [next((row[key] for key in keys if row.get(key) is not None), None) for row in self._rows]
        return [value if type(value) is str or value is None else text_of(value) for value in values]

    def _check(self, names: dict[str, list[str]], present: list[str]) -> None:
        used = {key for keys in names.values() for key in keys}
        if not used:
            wanted = next(iter(names))
            like = nearest(wanted, present)
            hint = f"; the nearest to {wanted!r} is {like!r}" if like else ""
            what = f"no field of the records belongs to a column of the table{hint}"
            raise file_fault(Code.HEADER_MISSING_COLUMN, what, line=self._lines[0], column=wanted)
        surplus = [key for key in present if key not in used]
        if surplus and not self._surplus_said:
            self._surplus_said = True
            self._note(f"fields that are not in the table are left out: {', '.join(map(repr, surplus[:20]))}")


def _encodable(value: str | None) -> bool:
    if value is None or value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
