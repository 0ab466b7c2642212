"""What an app says on its report descriptor (fd 3): JSON lines from a program nobody trusts."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from typing import Any

from mysimbdp.errors import Code, Problem
from mysimbdp.quality.rejects import RejectedRow, shown

_MAX_LINE = 16 * 1024
_IN_MEMORY = 2**20
_ROW_CODES = {Code.ROW_RAGGED, Code.ROW_MALFORMED, Code.ROW_TOO_LARGE, Code.ROW_REFUSED_BY_APP,
              Code.VALUE_MISSING, Code.VALUE_WRONG_TYPE, Code.VALUE_OUT_OF_RANGE}  # fmt: skip
_FILE_CODES = {Code.FILE_EMPTY, Code.FILE_NO_ROWS, Code.FILE_UNREADABLE, Code.FORMAT_MISMATCH,
               Code.ENCODING_INVALID, Code.STRUCTURE_INVALID, Code.HEADER_MISSING_COLUMN,
               Code.TOO_MANY_REJECTED_ROWS, Code.APP_REJECTED}  # fmt: skip
"""An app may say these; what else it says becomes ROW_REFUSED_BY_APP or APP_REJECTED."""


class Report:
    """Takes the descriptor's bytes as they come; memory is bounded, rows past the first MiB wait in a file."""

    def __init__(self) -> None:
        self.rows = 0
        """Rows the app has rejected so far."""
        self.garbage = 0
        """Lines that were no event."""
        self.problem: Problem | None = None
        """Why the app refuses the file; the first word counts."""
        self.bytes = 0
        self._carry = b""
        self._skipping = False
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._spool = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as this object
        self._drained = 0
        """Bytes of the spool that have been given out."""

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self.bytes += len(data)
        *lines, self._carry = (self._carry + data).split(b"\n")
        for line in lines:
            if self._skipping:
                self._skipping = False
            else:
                self._line(line)
        if len(self._carry) > _MAX_LINE:
            if not self._skipping:
                self.garbage += 1
            self._skipping, self._carry = True, b""

    def end(self) -> None:
        """Take what stands after the last line feed."""
        if self._carry and not self._skipping:
            self._line(self._carry)
        self._carry = b""

    def drain(self) -> Iterator[RejectedRow]:
        """Yield the rows reported since the last call; feeding may go on meanwhile."""
        while True:
            self._spool.seek(self._drained)
            lines = self._spool.readlines(_IN_MEMORY)
            self._drained += sum(map(len, lines))
            if not lines:
                lines, self._waiting, self._waiting_bytes = self._waiting, [], 0
                self._spool.seek(0)
                self._spool.truncate()
                self._drained = 0
            if not lines:
                return
            for line in lines:
                yield _row(json.loads(line))

    def close(self) -> None:
        """Give the temporary file back."""
        self._spool.close()

    def _line(self, line: bytes) -> None:
        if not line.strip():
            return
        if len(line) > _MAX_LINE or not line.startswith(b"{"):  # the second spares floods of junk the decoder
            self.garbage += 1
            return
        try:
            event = json.loads(line)
            kind = event["event"]
        except (ValueError, KeyError, RecursionError):
            self.garbage += 1
            return
        if kind == "row_rejected":
            self.rows += 1
            self._waiting.append(line + b"\n")
            self._waiting_bytes += len(line)
            if self._waiting_bytes > _IN_MEMORY:
                self._spool.seek(0, 2)
                self._spool.writelines(self._waiting)
                self._waiting, self._waiting_bytes = [], 0
        elif kind == "file_rejected":
            self.problem = self.problem or _problem(event)
        else:
            self.garbage += 1


def _row(event: dict[str, Any]) -> RejectedRow:
    code = _code(event.get("code"), _ROW_CODES, Code.ROW_REFUSED_BY_APP)
    reason = _text(event.get("reason")) or "the app gave no reason"
    return RejectedRow(
        _count(event.get("source")), _count(event.get("line")), _text(event.get("column")), _text(event.get("value")),
        code, reason,
    )  # fmt: skip


def _problem(event: dict[str, Any]) -> Problem:
    code = _code(event.get("code"), _FILE_CODES, Code.APP_REJECTED)
    what = _text(event.get("reason")) or "the app gave no reason"
    line, column = _count(event.get("line")), _text(event.get("column"))
    return Problem(code, what, line=line, column=column, value=_text(event.get("value")))


def _code(said: object, allowed: set[Code], otherwise: Code) -> Code:
    return Code(said) if isinstance(said, str) and said in allowed else otherwise


def _text(said: object) -> str | None:
    if said is None:
        return None
    text = said if isinstance(said, str) else json.dumps(said)
    return shown(printable(text.encode("utf-8", "replace").decode()))


def _count(said: object) -> int | None:
    return said if isinstance(said, int) and not isinstance(said, bool) and 0 < said < 2**63 else None


def printable(text: str) -> str:
    """Return `text` with control characters escaped: an app must not forge log lines or move a terminal's cursor."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
