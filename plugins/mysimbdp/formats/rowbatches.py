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
        present = list(dict.fromkeys([*self._rows[0], *sorted(set[str]().union(*self._rows))]))
        if self._fields is None:
            names = {key: [key] for key in present}
        else:
            names = {
                field.name: candidates(field.name, present) or candidates(field.column, present)
                for field in self._fields
            }
            self._check(names, present)
        kept: Sequence[int] = range(len(self._rows))
        values = {name: self._values(keys) for name, keys in names.items()}
        try:
            arrays = [_texts(column) for column in values.values()]
        except UnicodeEncodeError:
            kept = self._without_broken_texts(values)
            arrays = [_texts([column[index] for index in kept]) for column in values.values()]
        numbers = [pa.array([numbers[index] for index in kept], pa.int64()) for numbers in (self._sources, self._lines)]
        return pa.RecordBatch.from_arrays([*arrays, *numbers], names=[*values, "_source", "_line"])

    def _values(self, keys: list[str]) -> list[Any]:
        if len(keys) == 1:
            key = keys[0]
            return [row.get(key) for row in self._rows]
        return [next((row[key] for key in keys if row.get(key) is not None), None) for row in self._rows]

    def _without_broken_texts(self, values: dict[str, list[Any]]) -> list[int]:
        """Reject the rows with half surrogates, which JSON can spell and UTF-8 cannot; return the others' indexes."""
        kept = []
        for index, (source, line) in enumerate(zip(self._sources, self._lines, strict=True)):
            if all(_encodable(text_of(column[index])) for column in values.values()):
                kept.append(index)
            else:
                self._reject(BadRow(source, line, Code.ROW_MALFORMED, "a text is not valid Unicode"))
        return kept

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


def _texts(values: list[Any]) -> pa.Array:
    """Text and null are taken as they are; other values one by one, only where there are some."""
    try:
        return pa.array(values, pa.utf8())
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return pa.array([text_of(value) for value in values], pa.utf8())


def _encodable(value: str | None) -> bool:
    if value is None or value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
