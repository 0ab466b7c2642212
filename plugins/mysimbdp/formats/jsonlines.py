"""JSON Lines: one object a line; a bad line is left out, its neighbours are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa

from mysimbdp.errors import Code
from mysimbdp.formats.encoding import utf8_blocks
from mysimbdp.formats.faults import MAX_RECORD_BYTES, MAX_SHOWN, BadRow, Note, Reject, file_fault
from mysimbdp.formats.fieldnames import Field
from mysimbdp.formats.jsontext import DECODER
from mysimbdp.formats.rowbatches import RowBatches


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
        text = line.strip()
        if not text:
            continue
        records += 1
        fault = None
        try:
            row = DECODER.decode(text)
            if not isinstance(row, dict):
                fault = "the line is not a JSON object"
        except ValueError as error:
            fault = f"the line is not JSON: {error}"
        except RecursionError:
            fault = "the line is nested too deeply"
        if fault:
            reject(BadRow(records, number, Code.ROW_MALFORMED, fault, text[:MAX_SHOWN]))
        else:
            yield from batches.add(row, records, number, len(text))
    yield from batches.flush()
    if not records:
        raise file_fault(Code.FILE_EMPTY, "there is nothing in it")
    if not batches.records:
        raise file_fault(Code.FORMAT_MISMATCH, f"none of its {records} lines is a JSON object", line=1)


def _lines(stream: BinaryIO) -> Iterator[tuple[int, str]]:
    carry, number = b"", 0
    for block in utf8_blocks(stream):
        # Only line feeds end a line here: str.splitlines would also cut at U+2028 within a value.
        *whole, carry = (carry + block).split(b"\n") if carry else block.split(b"\n")
        for line in whole:
            number += 1
            yield number, line.decode()
        if len(carry) > MAX_RECORD_BYTES:
            raise file_fault(Code.STRUCTURE_INVALID, "a line is longer than 16 MiB", line=number + 1)
    if carry:
        yield number + 1, carry.decode()
