"""Where records of delimited text end: exact also with quoted line breaks and stray quotes."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Cut:
    """The part of a buffer that holds whole records.

    `end` is its length in bytes; `breaks` are the (start, end) of quoted fields with line breaks within it; `open_at`
    is where a quoted field begins that the buffer does not close (None when all are closed).
    """

    end: int
    breaks: list[tuple[int, int]]
    open_at: int | None


class RecordCutter:
    """Finds record ends for one delimiter. A quote opens a field only where a field begins, as in Python's csv."""

    def __init__(self, delimiter: str) -> None:
        # The quote comes first, before it is asked what stands before it: so the search runs at the speed of memchr.
        # Group 1 takes part only where the field is not closed in the line it begins in; group 2 is its closing quote.
        before = re.escape(delimiter).encode()
        self._quoted = re.compile(
            rb'"(?<![^' + before + rb'\r\n]")'
            rb'(?:[^"\r\n]*+(?:""[^"\r\n]*+)*+"|()[^"]*+(?:""[^"]*+)*+("?))'
        )

    def cut(self, buffer: bytes, *, final: bool) -> Cut:
        """Cut `buffer`, which begins at a record's start, after its last whole record (all of it if `final`)."""
        if b'"' not in buffer:
            return Cut(len(buffer) if final else buffer.rfind(b"\n") + 1, [], None)
        breaks, open_at = [], None
        for found in self._quoted.finditer(buffer):
            if found.lastindex is None:
                continue
            start, end = found.span()
            if not found[2]:
                open_at = start
            breaks.append((start, end))
        if final:
            return Cut(len(buffer), breaks, open_at)
        limit = len(buffer)
        at = buffer.rfind(b"\n", 0, limit)
        while breaks and at > breaks[-1][0]:
            if at >= breaks[-1][1]:
                break
            at = buffer.rfind(b"\n", 0, breaks.pop()[0])
        return Cut(at + 1, [span for span in breaks if span[1] <= at + 1], open_at)


def record_lines(block: bytes, cut: Cut, first_line: int) -> list[int] | None:
    """Return the line each record of `block` begins in; None says: one record a line, from `first_line` on."""
    lone_cr = b"\r" in block and block.count(b"\r") != block.count(b"\r\n")
    blank = block[:1] in (b"\n", b"\r") or b"\n\n" in block or b"\n\r" in block
    if not (cut.breaks or lone_cr or blank):
        return None
    lines: list[int] = []
    spans = iter([*cut.breaks, (len(block) + 1, len(block) + 1)])
    span_start, span_end = next(spans)
    start, start_line, line = 0, first_line, first_line
    for found in _LINE_END.finditer(block):
        line += 1
        while found.start() >= span_end:
            span_start, span_end = next(spans)
        if found.start() > span_start:
            continue
        if found.start() > start:
            lines.append(start_line)
        start, start_line = found.end(), line
    if start < len(block):
        lines.append(start_line)
    return lines
