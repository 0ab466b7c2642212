"""CSV and its kin: Arrow does the parsing, block by block; records are numbered and placed by us."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import csv as arrow_csv

from mysimbdp.errors import Code
from mysimbdp.formats.encoding import utf8_blocks
from mysimbdp.formats.faults import MAX_RECORD_BYTES, MAX_SHOWN, BadRow, Note, Reject, file_fault
from mysimbdp.formats.fieldnames import Field
from mysimbdp.formats.header import select_columns
from mysimbdp.formats.recordcut import Cut, RecordCutter, record_lines
from mysimbdp.formats.sniffing import sniff_delimiter


def read_delimited(
    stream: BinaryIO, fields: Sequence[Field] | None, reject: Reject, note: Note, *, delimiter: str | None = ","
) -> Iterator[pa.RecordBatch]:
    """Yield the records of `stream` as batches of text columns plus `_source` and `_line` (int64).

    The first record is the header. With `fields`, only columns that stand for one of them are given, under the
    file's own name; without, all. An empty field, quoted or not, is null. `delimiter=None` finds it out.

    Raises:
        TerminalError: the file as a whole cannot be read; the problem names the line.
    """
    parser: _Parser | None = None
    carry, line = b"", 1
    cutter = RecordCutter(delimiter or ",")
    blocks = utf8_blocks(stream)
    block = next(blocks, None)
    while block is not None:
        following = next(blocks, None)
        buffer = carry + block
        if parser is None:
            skipped = len(buffer) - len(buffer.lstrip(b"\r\n"))
            line += buffer.count(b"\n", 0, skipped)
            buffer = buffer[skipped:]
            if delimiter is None and buffer:
                delimiter = sniff_delimiter(buffer[:65536])
                cutter = RecordCutter(delimiter)
        cut = cutter.cut(buffer, final=following is None)
        if len(buffer) - cut.end > MAX_RECORD_BYTES or (following is None and _swallows_lines(buffer, cut)):
            raise _endless(buffer, cut, line)
        whole, carry = buffer[: cut.end], buffer[cut.end :]
        if parser is None and whole:
            header, length = _header(whole, delimiter or ",")
            selected = select_columns(header, fields, line, note)
            parser = _Parser(delimiter or ",", len(header), selected, reject)
            header_lines = whole.count(b"\n", 0, length)
            line, whole = line + header_lines, whole[length:]
            moved = [(start - length, end - length) for start, end in cut.breaks if start >= length]
            open_at = cut.open_at - length if cut.open_at is not None else None
            cut = Cut(cut.end - length, moved, open_at)
        if parser is not None and whole:
            yield from parser.parse(whole, cut, line, final=following is None)
            line += whole.count(b"\n")
        block = following
    if parser is None:
        raise file_fault(Code.FILE_EMPTY, "there is nothing in it")
    if not parser.records:
        raise file_fault(Code.FILE_NO_ROWS, "there is a header and no record below it", line=line)


def _swallows_lines(buffer: bytes, cut: Cut) -> bool:
    return cut.open_at is not None and buffer.find(b"\n", cut.open_at, len(buffer.rstrip())) >= 0


def _endless(buffer: bytes, cut: Cut, line: int) -> Exception:
    at = cut.end if cut.open_at is None else cut.open_at
    what = "a record is larger than 16 MiB" if cut.open_at is None else "a quote is opened and never closed"
    return file_fault(Code.STRUCTURE_INVALID, what, line=line + buffer.count(b"\n", 0, at))


def _header(text: bytes, delimiter: str) -> tuple[list[str], int]:
    """Return the header's names and its length in bytes."""
    lines = io.StringIO(text.decode(), newline="")
    try:
        names = next(csv.reader(lines, delimiter=delimiter))
    except csv.Error as error:
        raise file_fault(Code.STRUCTURE_INVALID, f"the header cannot be read: {error}", line=1) from None
    return names, len(text.decode()[: lines.tell()].encode())


class _Parser:
    """Parses blocks of whole records that all have the same columns."""

    def __init__(self, delimiter: str, width: int, selected: list[tuple[int, str]], reject: Reject) -> None:
        self.records = 0
        """Records seen so far, rejected ones included."""
        self._width = width
        self._names = [name for _, name in selected]
        # Names of our own: the header's may be empty or given twice.
        own = [str(index) for index in range(width)]
        chosen = [own[index] for index, _ in selected]
        self._delimiter = delimiter
        self._own = own
        self._reject = reject
        self._convert = arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(chosen, pa.utf8()),
            include_columns=chosen,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            check_utf8=False,  # utf8_blocks has done it
        )

    def parse(self, block: bytes, cut: Cut, first_line: int, *, final: bool) -> Iterator[pa.RecordBatch]:
        """Yield the records of `block`, which begins in line `first_line`."""
        ragged: list[Any] = []

        def skip(row: Any) -> str:
            ragged.append(row)
            return "skip"

        table = arrow_csv.read_csv(
            pa.py_buffer(block),
            read_options=arrow_csv.ReadOptions(
                column_names=self._own, use_threads=False, block_size=max(len(block) + 1, 1024)
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self._delimiter, newlines_in_values=bool(cut.breaks), invalid_row_handler=skip
            ),
            convert_options=self._convert,
        )
        count = table.num_rows + len(ragged)
        lines = record_lines(block, cut, first_line)
        indexes: Sequence[int] = range(count)
        if ragged:
            out = {row.number - 1 for row in ragged}
            indexes = [index for index in indexes if index not in out]
        for row in ragged:
            self._reject(self._ragged(row, lines, first_line))
        if final and cut.open_at is not None and indexes and indexes[-1] == count - 1:
            self._reject(self._unclosed(count - 1, lines, first_line))
            indexes = indexes[:-1]
            table = table.slice(0, len(indexes))
        yield from self._numbered(table, indexes, lines, first_line)
        self.records += count

    def _numbered(
        self, table: pa.Table, indexes: Sequence[int], lines: list[int] | None, first_line: int
    ) -> Iterator[pa.RecordBatch]:
        if isinstance(indexes, range) and lines is None:
            first = self.records + 1
            source = pa.array(range(first, first + len(indexes)), pa.int64())
            line = pa.array(range(first_line, first_line + len(indexes)), pa.int64())
        else:
            source = pa.array([self.records + 1 + index for index in indexes], pa.int64())
            at = (lines[index] if lines else first_line + index for index in indexes)
            line = pa.array(list(at), pa.int64())
        numbered = pa.Table.from_arrays([*table.columns, source, line], names=[*self._names, "_source", "_line"])
        yield from (batch for batch in numbered.to_batches() if batch.num_rows)

    def _ragged(self, row: Any, lines: list[int] | None, first_line: int) -> BadRow:
        index = row.number - 1
        reason = f"the record has {row.actual_columns} fields, the header {row.expected_columns}"
        at = lines[index] if lines else first_line + index
        return BadRow(self.records + row.number, at, Code.ROW_RAGGED, reason, row.text[:MAX_SHOWN])

    def _unclosed(self, index: int, lines: list[int] | None, first_line: int) -> BadRow:
        at = lines[index] if lines else first_line + index
        return BadRow(self.records + index + 1, at, Code.ROW_MALFORMED, "a quote is opened and never closed")
