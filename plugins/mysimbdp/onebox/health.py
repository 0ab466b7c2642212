"""Wait until a service is well, saying what it is waiting for; give up early when its process has died."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from mysimbdp.errors import Code, Problem, TerminalError
from mysimbdp.onebox import process

Probe = Callable[[], str | None]
"""Returns None when all is well, else the reason why not yet."""

TAIL_LINES = 25


def wait_until_well(
    name: str, probe: Probe, *, home: Path, log: Path, seconds: float, tell: Callable[[str], None]
) -> None:
    """Ask `probe` until it is content; `tell` hears each new reason.

    Raises:
        TerminalError: SERVICE_NOT_STARTED with the end of the service's log, when it died or `seconds` are over.
    """
    deadline = time.monotonic() + seconds
    while (reason := probe()) is not None:
        tell(reason)
        if process.running(name, home) is None:
            raise not_started(name, "its process ended", log)
        if time.monotonic() > deadline:
            raise not_started(name, f"not well after {seconds:.0f} s: {reason}", log)
        time.sleep(0.2)


def not_started(name: str, reason: str, log: Path) -> TerminalError:
    """The error for a service that did not come up, with the last words of its log."""
    last_words = tail(log)
    shown = f"; the end of {log}:\n{last_words}\n" if last_words else ""
    return TerminalError(Problem(Code.SERVICE_NOT_STARTED, f"{name} did not start: {reason}{shown}"))


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log file, read from its end."""
    if not log.exists():
        return ""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - 200 * lines))
        return "\n".join(stream.read().decode(errors="replace").splitlines()[-lines:])
