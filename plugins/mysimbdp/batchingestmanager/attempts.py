"""Policy: how often a file is tried before it is failed for good. Nothing is tried for ever."""

from __future__ import annotations

from mysimbdp.errors import Code, Problem
from mysimbdp.ledger.record import FileRecord

MOST_INTERRUPTED_ATTEMPTS = 50
"""Attempts that ended without a verdict (a worker was killed, coredms went away). They say little about the
file, so many are allowed; but a file that kills its worker each time must not do so for ever."""

APP_FAULTS = frozenset({Code.APP_CRASHED, Code.APP_TIMED_OUT, Code.APP_TRY_LATER})
"""Faults that count against the tenant's `max_attempts`; any other transient fault is the platform's own."""


def exhausted(record: FileRecord, max_attempts: int) -> Problem | None:
    """The Problem to fail the file with, or None while it may be tried once more."""
    if record.failures >= max_attempts:
        last = f"; the last time: {record.problem.what}" if record.problem else ""
        what = f"the app failed {record.failures} times{last}"
        return Problem(Code.ATTEMPTS_EXHAUSTED, what, file=record.name)
    if record.attempts >= MOST_INTERRUPTED_ATTEMPTS:
        what = f"{record.attempts} attempts were interrupted before a verdict"
        return Problem(Code.ATTEMPTS_EXHAUSTED, what, file=record.name)
    return None
