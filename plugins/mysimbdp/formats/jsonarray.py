"""JSON: a top-level array of objects, or objects one after another, read as a stream."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import pyarrow as pa

from mysimbdp.errors import Code
from mysimbdp.formats.encoding import utf8_blocks
from mysimbdp.formats.faults import MAX_RECORD_BYTES, MAX_SHOWN, BadRow, Note, Reject, file_fault
from mysimbdp.formats.fieldnames import Field
from mysimbdp.formats.jsontext import DECODER, json_of
from mysimbdp.formats.rowbatches import RowBatches

_BLANK = re.compile(r"[ \t\n\r]*")


def read_json(stream: BinaryIO, fields: Sequence[Field] | None, reject: Reject, note: Note) -> Iterator[pa.RecordBatch]:
    """Yield the records of `stream` as batches of text columns plus `_source` and `_line`.

    Raises:
        TerminalError: STRUCTURE_INVALID with the line (JSON cannot be read on after a fault), FORMAT_MISMATCH,
            FILE_EMPTY or FILE_NO_ROWS (an empty array).
    """
    text = _Text(stream)
    batches = RowBatches(fields, reject, note)
    first = text.peek()
    if not first:
        raise file_fault(Code.FILE_EMPTY, "there is nothing in it")
    if first not in "[{":
        raise file_fault(Code.FORMAT_MISMATCH, "it begins with neither [ nor {: it is not JSON records", line=text.line)
    source = 0
    for value, line, size in _elements(text) if first == "[" else _values(text):
        source += 1
        if isinstance(value, dict):
            yield from batches.add(value, source, line, size)
        else:
            shown = json_of(value)[:MAX_SHOWN]
            reject(BadRow(source, line, Code.ROW_MALFORMED, "the element is not a JSON object", shown))
    yield from batches.flush()
    if not source:
        raise file_fault(Code.FILE_NO_ROWS, "the array is empty", line=text.line)


def _elements(text: _Text) -> Iterator[tuple[Any, int, int]]:
    text.take()
    if text.peek() == "]":
        text.take()
    else:
        while True:
            yield text.value()
            mark = text.peek()
            if mark not in (",", "]"):
                raise text.fault("a comma or ] is missing" if mark else "the array is not closed: the file is cut off")
            text.take()
            if mark == "]":
                break
    if text.peek():
        raise text.fault("there is more after the end of the array")


def _values(text: _Text) -> Iterator[tuple[Any, int, int]]:
    while text.peek():
        yield text.value()


class _Text:
    """The not yet decoded rest of the file, as far as it is in memory."""

    def __init__(self, stream: BinaryIO) -> None:
        self.line = 1
        self._blocks = utf8_blocks(stream, 2**20)
        self._text = ""
        self._at = 0
        self._ended = False

    def peek(self) -> str:
        """Return the next character that is not blank; "" at the end."""
        while True:
            self._move(_BLANK.match(self._text, self._at).end())  # type: ignore[union-attr]  # it matches anything
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def take(self) -> None:
        """Step over the character `peek` has returned."""
        self._move(self._at + 1)

    def value(self) -> tuple[Any, int, int]:
        """Decode the next value; return it, the line it begins in and its length in characters."""
        self.peek()
        line = self.line
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except RecursionError:
                raise self.fault("it is nested too deeply") from None
            except ValueError as error:
                # Perhaps only cut off by the end of what is in memory.
                if not self._more():
                    at = getattr(error, "pos", self._at)
                    self._move(max(at, self._at))
                    raise self.fault(getattr(error, "msg", str(error))) from None
                continue
            if end < len(self._text) or not self._more():
                size = end - self._at
                self._move(end)
                return value, line, size

    def fault(self, what: str) -> Exception:
        """Make the error for a fault at the present place."""
        return file_fault(Code.STRUCTURE_INVALID, f"it is not valid JSON here: {what}", line=self.line)

    def _move(self, to: int) -> None:
        self.line += self._text.count("\n", self._at, to)
        self._at = to

    def _more(self) -> bool:
        """Bring more of the file into memory; False at its end."""
        if self._ended:
            return False
        if len(self._text) - self._at > MAX_RECORD_BYTES:
            raise self.fault("a record is larger than 16 MiB or not valid")
        blocks = [self._text[self._at :]]
        size, wanted = 0, max(len(blocks[0]), 1)  # at least double: a long record is not decoded over and over
        while size < wanted:
            block = next(self._blocks, None)
            if block is None:
                self._ended = True
                break
            blocks.append(block.decode())
            size += len(block)
        self._text, self._at = "".join(blocks), 0
        return size > 0
