"""Which character separates the fields of a .txt file."""

from __future__ import annotations

import csv
import io

from mysimbdp.errors import Code
from mysimbdp.formats.faults import file_fault

DELIMITERS = "\t;|,"
_LINES_LOOKED_AT = 50


def sniff_delimiter(start: bytes) -> str:
    """Return the delimiter of delimited text from its first bytes (UTF-8).

    The one that gives most lines the header's number of fields wins; of equals the one with more fields. A text with
    none of them is one column wide.

    Raises:
        TerminalError: FORMAT_MISMATCH when there is no text at all.
    """
    text = start.decode("utf-8", "ignore")
    lines = [line for line in text.splitlines()[:_LINES_LOOKED_AT] if line.strip()]
    if not lines:
        raise file_fault(Code.FILE_EMPTY, "there is nothing but blank lines in it")
    best, best_score = ",", (0.0, 1)
    for delimiter in DELIMITERS:
        rows = [row for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter) if row]
        width = len(rows[0])
        if width > 1:
            agreeing = sum(len(row) == width for row in rows) / len(rows)
            best_score, best = max((best_score, best), ((agreeing, width), delimiter))
    return best
