"""An app's stderr in the task log: line by line, labelled, harmless and limited."""

from __future__ import annotations

from collections import deque
from typing import Any, Protocol

from mysimbdp.apps.report import printable

_MAX_LINE = 2000
_LAST_LINES = 8
_LEAST_CHARGED = 64
"""Bytes a line counts for at least: short lines burden the log too."""


class Log(Protocol):
    """What is needed of a logger."""

    def info(self, msg: str, *args: Any) -> Any:
        """Log a line."""

    def warning(self, msg: str, *args: Any) -> Any:
        """Log a line that needs attention."""


class StderrLog:
    """Takes the bytes as they come; past `max_bytes` they are only counted."""

    def __init__(self, app_name: str, log: Log, max_bytes: int) -> None:
        self._app_name = app_name
        self._log = log
        self._room = max_bytes
        self._carry = b""
        self._left_out = 0
        self._last: deque[str] = deque(maxlen=_LAST_LINES)

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        *lines, self._carry = (self._carry + data).split(b"\n")
        if self._room <= 0 and len(lines) > _LAST_LINES:
            # Nobody will see them: a flood costs no more than its counting, but the last words are kept.
            self._left_out += sum(map(len, lines[:-_LAST_LINES]))
            lines = lines[-_LAST_LINES:]
        for line in lines:
            self._line(line)
        while len(self._carry) > _MAX_LINE:
            self._line(self._carry[:_MAX_LINE])
            self._carry = self._carry[_MAX_LINE:]

    def end(self) -> None:
        """Log what stands after the last line feed, and how much was left out."""
        if self._carry:
            self._line(self._carry)
            self._carry = b""
        if self._left_out:
            self._log.warning("[%s] %d more bytes on stderr were left out", self._app_name, self._left_out)

    def last_words(self) -> str:
        """Return the last lines in one, for the reason of a failure; "" when nothing was said."""
        return " | ".join(self._last)[-1000:]

    def _line(self, line: bytes) -> None:
        text = printable(line[:_MAX_LINE].decode("utf-8", "replace").rstrip("\r").expandtabs(4))
        if not text.strip():
            return
        self._last.append(text[:300])
        if self._room <= 0:
            self._left_out += len(line)
            return
        self._room -= max(len(line), _LEAST_CHARGED)
        self._log.info("[%s] %s", self._app_name, text)
