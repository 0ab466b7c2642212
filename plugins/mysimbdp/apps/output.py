"""An app's stdout as record batches: Arrow stream, JSON Lines or CSV, from a program nobody trusts."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import cast

import pyarrow as pa

from mysimbdp.apps.contract import OutputKind
from mysimbdp.errors import Code, MysimbdpError, Problem, TerminalError
from mysimbdp.formats.arrow_alone import keep_pandas_out
from mysimbdp.formats.delimited import read_delimited
from mysimbdp.formats.faults import BadRow
from mysimbdp.formats.jsonlines import read_jsonlines

keep_pandas_out()

LINEAGE = ("_source", "_line")
"""Columns an app may add to its rows: record number and line in the input file."""

_OUTPUT_EMPTY = {Code.FILE_EMPTY, Code.FILE_NO_ROWS}


class OutputStream(io.RawIOBase):
    """The app's stdout as a file. What its reading raises is kept, as Arrow and io wrap or swallow it."""

    def __init__(self, read: Callable[[int], bytes], max_message_bytes: int) -> None:
        super().__init__()
        self.fault: BaseException | None = None
        self._read = read
        self._max = max_message_bytes

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return exactly `size` bytes, fewer only at the end."""
        if size > self._max:
            # A forged length must not make us allocate it.
            self.fault = bad_output(f"a piece of {size} bytes is announced, {self._max} are allowed")
            raise self.fault
        pieces: list[bytes] = []
        missing = size if size >= 0 else self._max
        try:
            while missing > 0 and (piece := self._read(missing)):
                pieces.append(piece)
                missing -= len(piece)
        except MysimbdpError as error:
            self.fault = error
            raise
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def bad_output(what: str, line: int | None = None) -> TerminalError:
    """Make the error for output that is not what the app declares."""
    return TerminalError(Problem(Code.APP_BAD_OUTPUT, what, line=line))


def decode_output(kind: OutputKind, stream: OutputStream) -> Iterator[pa.RecordBatch]:
    """Yield the batches of `stream`; `_source` and `_line`, where given, are int64.

    Raises:
        TerminalError: APP_BAD_OUTPUT; or whatever reading `stream` raised.
    """
    try:
        for batch in _arrow(stream) if kind == "arrow" else _text(kind, stream):
            yield _with_lineage(batch)
    except (pa.ArrowException, OSError, ValueError, TypeError, UnicodeError) as error:
        if isinstance(stream.fault, MysimbdpError):
            raise stream.fault from None
        raise bad_output(f"its output is not {kind}: {error}") from None


def _arrow(stream: OutputStream) -> Iterator[pa.RecordBatch]:
    first = stream.read(4)
    if not first:
        return  # nothing at all: no rows
    if first != b"\xff\xff\xff\xff":
        raise bad_output(f"its output is not an Arrow stream: it begins with {first!r}")
    reader = pa.ipc.open_stream(pa.PythonFile(_Rest(first, stream), "r"))
    for batch in reader:
        batch.validate(full=True)  # offsets of untrusted buffers could point anywhere
        yield batch


class _Rest(io.RawIOBase):
    """`stream` with its first bytes put back."""

    def __init__(self, first: bytes, stream: OutputStream) -> None:
        super().__init__()
        self._first = first
        self._stream = stream

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return exactly `size` bytes, fewer only at the end."""
        if not self._first:
            return self._stream.read(size)
        first, self._first = self._first[:size], self._first[size:]
        return first + self._stream.read(size - len(first)) if size > len(first) else first


def _text(kind: OutputKind, stream: OutputStream) -> Iterator[pa.RecordBatch]:
    source = cast("io.BufferedReader", stream)
    read = (
        read_jsonlines(source, None, _refuse, _ignore)
        if kind == "jsonl"
        else read_delimited(source, None, _refuse, _ignore)
    )
    try:
        for batch in read:
            # The last two columns number the lines of the output, which is not what _source means.
            own = list(range(batch.num_columns - len(LINEAGE)))
            yield batch.select(own)
    except TerminalError as error:
        if error is stream.fault or error.problem.code is Code.APP_BAD_OUTPUT:
            raise
        if error.problem.code not in _OUTPUT_EMPTY:
            raise bad_output(f"its output: {error.problem.what}", error.problem.line) from None


def _refuse(row: BadRow) -> None:
    raise bad_output(f"its output: {row.reason}", row.line)


def _ignore(_remark: str) -> None:
    pass


def _with_lineage(batch: pa.RecordBatch) -> pa.RecordBatch:
    names = batch.schema.names
    if len(set(names)) != len(names):
        raise bad_output(f"a column name is given twice among {names[:20]}")
    for name in LINEAGE:
        if name in names and batch.schema.field(name).type != pa.int64():
            try:
                numbers = batch.column(name).cast(pa.int64())
            except pa.ArrowException as error:
                raise bad_output(f"{name} must be a whole number: {error}") from None
            batch = batch.set_column(names.index(name), name, numbers)
    return batch
