"""Bytes of a text file as UTF-8 blocks: byte order marks, UTF-16, invalid bytes and binary junk are settled here."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from mysimbdp.errors import Code
from mysimbdp.formats.faults import file_fault

BLOCK_BYTES = 4 * 2**20

# UTF-32's little-endian mark begins with UTF-16's, so it is looked for first.
_WIDE_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def wide_encoding(start: bytes) -> tuple[str, int] | None:
    """Return (codec, length of its byte order mark) of a UTF-16 or UTF-32 file, else None."""
    for mark, codec in _WIDE_MARKS:
        if start.startswith(mark):
            return codec, len(mark)
    return None


def utf8_blocks(stream: BinaryIO, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Yield the text of `stream` as valid UTF-8 without byte order mark, never cut within a character.

    Lines that end in a carriage return alone (old Macintosh files) are given with line feeds.

    Raises:
        TerminalError: ENCODING_INVALID or FORMAT_MISMATCH (NUL bytes), with the line.
    """
    start = stream.read(block_bytes)
    if not start:
        return
    wide = wide_encoding(start)
    following = iter(lambda: stream.read(block_bytes), b"")
    blocks = _transcoded(start, following, *wide) if wide else _validated(start, following)
    line = 1
    only_cr: bool | None = None
    for block in blocks:
        if b"\0" in block:
            at = line + block.count(b"\n", 0, block.index(b"\0"))
            raise file_fault(Code.FORMAT_MISMATCH, "there are NUL bytes in it: it is not a text file", line=at)
        if only_cr is None:
            only_cr = b"\r" in block and b"\n" not in block
        out = block.replace(b"\r", b"\n") if only_cr else block
        line += out.count(b"\n")
        yield out


def _validated(start: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    block = start.removeprefix(codecs.BOM_UTF8)
    line, carry = 1, b""
    while True:
        following = next(rest, b"")
        block = carry + block
        try:
            _, used = codecs.utf_8_decode(block, "strict", not following)
        except UnicodeDecodeError as error:
            raise _invalid(block, error, line) from None
        carry = block[used:]
        done = block[:used] if carry else block
        if done:
            yield done
        if not following:
            return
        line += done.count(b"\n")
        block = following


def _transcoded(start: bytes, rest: Iterator[bytes], codec: str, mark_length: int) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(codec)()
    block, line = start[mark_length:], 1
    while True:
        following = next(rest, b"")
        try:
            done = decoder.decode(block, final=not following).encode()
        except UnicodeError as error:
            what = f"it begins as {codec.upper()} and is not valid as such: {error}"
            raise file_fault(Code.ENCODING_INVALID, what, line=line) from None
        if done:
            yield done
        if not following:
            return
        line += done.count(b"\n")
        block = following


def _invalid(block: bytes, error: UnicodeDecodeError, line: int) -> Exception:
    at = line + block.count(b"\n", 0, error.start)
    shown = block[error.start : error.start + 4].hex(" ")
    if b"\0" in block[: error.end]:
        return file_fault(Code.FORMAT_MISMATCH, "it is binary, not text", line=at)
    return file_fault(Code.ENCODING_INVALID, f"the bytes {shown} are not valid UTF-8", line=at)
