"""How much an app may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AppLimits:
    """Limits of one run of an app. Where the app is faster than the platform it is not charged for the waiting."""

    timeout_seconds: float = 3600
    """Seconds the platform has waited for the app, in all."""
    max_memory_bytes: int = 2 * 2**30
    """Address space of each of the app's processes."""
    max_output_bytes: int = 20 * 10**9
    """Bytes of stdout, and of any one file it writes."""
    max_report_bytes: int = 256 * 2**20
    """Bytes of the report descriptor."""
    max_log_bytes: int = 256 * 1024
    """Bytes of stderr that reach the task log; the rest is counted."""
    max_open_files: int = 256
    max_message_bytes: int = 512 * 2**20
    """The largest single piece of its output, e.g. one Arrow column buffer set."""
