"""XML: the children of the root are the records; their child elements and attributes are the fields.

Expat reads it as a stream. A document type declaration is refused: with it go entities, and all attacks by them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO
from xml.parsers import expat

import pyarrow as pa

from mysimbdp.errors import Code
from mysimbdp.formats.faults import MAX_RECORD_BYTES, Note, Reject, file_fault
from mysimbdp.formats.fieldnames import Field
from mysimbdp.formats.jsontext import MAX_DEPTH
from mysimbdp.formats.rowbatches import RowBatches

_CHUNK = 256 * 1024


def read_xml(stream: BinaryIO, fields: Sequence[Field] | None, reject: Reject, note: Note) -> Iterator[pa.RecordBatch]:
    """Yield the records of `stream` as batches of text columns plus `_source` and `_line`.

    Namespaces are dropped; a field that occurs several times in a record, or has children, becomes JSON text; an empty
    element is missing.

    Raises:
        TerminalError: STRUCTURE_INVALID or FORMAT_MISMATCH with the line, FILE_EMPTY, FILE_NO_ROWS.
    """
    batches = RowBatches(fields, reject, note)
    records = _Records()
    chunk = stream.read(_CHUNK)
    if not chunk.strip():
        raise file_fault(Code.FILE_EMPTY, "there is nothing in it")
    source = 0
    while True:
        records.feed(chunk)
        for row, line, size in records.take():
            source += 1
            yield from batches.add(row, source, line, size)
        if not chunk:
            break
        chunk = stream.read(_CHUNK)
    yield from batches.flush()
    if not source:
        raise file_fault(Code.FILE_NO_ROWS, "there is no element below the root")


class _Element:
    __slots__ = ("fields", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.text: list[str] = []
        self.fields: dict[str, Any] = {_local(key): value for key, value in attributes.items() if ":nil" not in key}

    def value(self) -> Any:
        """The text of a leaf (None when there is none), else its fields."""
        text = "".join(self.text).strip()
        if not self.fields:
            return text or None
        return {**self.fields, "text": text} if text else self.fields

    def add(self, name: str, value: Any) -> None:
        """Add a child's value; a second one of the same name makes it a list."""
        if name not in self.fields:
            self.fields[name] = value
        elif isinstance(self.fields[name], list):
            self.fields[name].append(value)
        else:
            self.fields[name] = [self.fields[name], value]


class _Records:
    """Expat's callbacks: keeps the one record that is open, and the finished ones until they are taken."""

    def __init__(self) -> None:
        self._done: list[tuple[dict[str, Any], int, int]] = []
        self._open: list[_Element] = []
        self._line = self._begin = self._fed = 0
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.StartDoctypeDeclHandler = self._doctype

    def feed(self, chunk: bytes) -> None:
        """Parse `chunk`; an empty one is the end of the file."""
        try:
            self._parser.Parse(chunk, not chunk)
        except expat.ExpatError as error:
            code = Code.STRUCTURE_INVALID if self._open or self._done else Code.FORMAT_MISMATCH
            what = f"it is not valid XML: {expat.ErrorString(error.code)} (column {error.offset + 1})"
            raise file_fault(code, what, line=error.lineno) from None
        except (ValueError, LookupError) as error:
            raise file_fault(Code.ENCODING_INVALID, f"its declared encoding is not known: {error}", line=1) from None
        self._fed += len(chunk)
        if len(self._open) > 1 and self._fed - self._begin > MAX_RECORD_BYTES:
            raise file_fault(Code.STRUCTURE_INVALID, "a record is larger than 16 MiB", line=self._line)

    def take(self) -> list[tuple[dict[str, Any], int, int]]:
        """Return (fields, line, bytes) of the records finished since the last call."""
        done, self._done = self._done, []
        return done

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) == 1:
            self._line, self._begin = self._parser.CurrentLineNumber, self._parser.CurrentByteIndex
        if len(self._open) > MAX_DEPTH:
            line = self._parser.CurrentLineNumber
            raise file_fault(Code.STRUCTURE_INVALID, "elements are nested deeper than 100 levels", line=line)
        self._open.append(_Element(_local(name), attributes))

    def _end(self, _name: str) -> None:
        element = self._open.pop()
        if len(self._open) > 1:
            self._open[-1].add(element.name, element.value())
        elif self._open:
            size = self._parser.CurrentByteIndex - self._begin
            # A record without fields of its own is a list of plain values: its one field has its name.
            fields = element.fields or {element.name: element.value()}
            self._done.append((fields, self._line, size))
        else:
            self._open.append(element)  # the root stays: what follows it is not a record

    def _data(self, text: str) -> None:
        if len(self._open) > 1:
            self._open[-1].text.append(text)

    def _doctype(self, *_: Any) -> None:
        line = self._parser.CurrentLineNumber
        raise file_fault(Code.STRUCTURE_INVALID, "document type declarations are not accepted", line=line)


def _local(name: str) -> str:
    return name.rpartition(":")[2]
