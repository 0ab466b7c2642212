"""server.log: one line for each file's outcome, in the form the platform has always used."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from mysimbdp.landing.names import safe_label
from mysimbdp.settings import Settings

_LINE = logging.Formatter("%(asctime)s :: %(levelname)s :: mysimbdp : %(message)s")
_LONGEST_REASON = 2000


def log_ingested(settings: Settings, file: str, *, size_bytes: int, seconds: float) -> str:
    """Append the line of a file that was ingested; return its message part for the task log."""
    message = (
        f"{safe_label(file)} was correctly ingested into mysimbdp-coredms. "
        f"File size: {size_bytes} -- Total ingestion time: {seconds:.3f}"
    )
    _append(settings.logs_dir / "server.log", logging.INFO, message)
    return message


def log_problem(settings: Settings, file: str, reason: str) -> str:
    """Append the line of a file that was not ingested; return its message part for the task log."""
    message = f"Problem while ingesting {safe_label(file)}: {_one_line(reason)}"
    _append(settings.logs_dir / "server.log", logging.WARNING, message)
    return message


def _one_line(reason: str) -> str:
    # A reason quotes what the customer's file or app said: it must not be able to forge a line of its own.
    # The labels in it are escaped already, so single backslashes stay.
    shown = "".join(safe_label(char) if char != "\\" else char for char in reason)
    return shown if len(shown) <= _LONGEST_REASON else f"{shown[:_LONGEST_REASON]}…"


def _append(path: Path, level: int, message: str) -> None:
    record = logging.LogRecord("mysimbdp", level, "", 0, message, None, None)
    line = f"{_LINE.format(record)}\n".encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    # One write to a file opened for appending: lines of many processes never mix.
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        os.write(handle, line)
    finally:
        os.close(handle)
