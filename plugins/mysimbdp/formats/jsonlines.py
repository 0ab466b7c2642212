"""JSON Lines: one object a line; a bad line is left out, its neighbours are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa

from mysimbdp.errors import Code
from mysimbdp.formats.encoding import utf8_blocks
from mysimbdp.formats.faults import MAX_RECORD_BYTES, MAX_SHOWN, BadRow, Note, Reject, file_fault
from mysimbdp.formats.fieldnames import Field
from mysimbdp.formats.jsontext import DECODER, Number
from mysimbdp.formats.rowbatches import RowBatches

_FAST = msgspec.json.Decoder(float_hook=Number)
"""Several times as fast as Python's own; whole numbers become int, which changes none of their digits."""


def read_jsonlines(
    stream: BinaryIO, fields: Sequence[Field] | None, reject: Reject, note: Note
) -> Iterator[pa.RecordBatch]:
    """Yield the records of `stream` as batches of text columns plus `_source` and `_line`; blank lines do not count.

    Raises:
        TerminalError: FORMAT_MISMATCH (not one line is an object), FILE_EMPTY, STRUCTURE_INVALID (endless line).
    """
    batches = RowBatches(fields, reject, note)
    records = 0
    for number, line in _lines(stream):
        if not line or line.isspace():
            continue
        records += 1
        row = _decode(line)
        if isinstance(row, dict):
            yield from batches.add(row, records, number, len(line))
        else:
            shown = line.decode().strip()[:MAX_SHOWN]
            reject(BadRow(records, number, Code.ROW_MALFORMED, row, shown))
    yield from batches.flush()
    if not records:
        raise file_fault(Code.FILE_EMPTY, "there is nothing in it")
    if not batches.records:
        raise file_fault(Code.FORMAT_MISMATCH, f"none of its {records} lines is a JSON object", line=1)


def _decode(line: bytes) -> dict[str, Any] | str:
    """Return the object of a line, or why it is none."""
    try:
        row = _FAST.decode(line)
    except (msgspec.DecodeError, ValueError, RecursionError):
        # It may still be what Python's own decoder takes (NaN), and if not, that one explains better.
        try:
            row = DECODER.decode(line.decode().strip())
        except ValueError as error:
            return f"the line is not JSON: {error}"
        except RecursionError:
            return "the line is nested too deeply"
    return row if isinstance(row, dict) else "the line is not a JSON object"


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    carry, number = b"", 0
    for block in utf8_blocks(stream):
        # Only line feeds end a line here: str.splitlines would also cut at U+2028 within a value.
        *whole, carry = (carry + block).split(b"\n") if carry else block.split(b"\n")
        for line in whole:
            number += 1
            yield number, line
        if len(carry) > MAX_RECORD_BYTES:
            raise file_fault(Code.STRUCTURE_INVALID, "a line is longer than 16 MiB", line=number + 1)
    if carry:
        yield number + 1, carry
