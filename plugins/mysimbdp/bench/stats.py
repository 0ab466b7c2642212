"""The few figures a benchmark reports, computed one way."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def summary(seconds: Sequence[float]) -> dict[str, float]:
    """n, min, p50, p95 and max of at least two durations, rounded to milliseconds."""
    cuts = statistics.quantiles(seconds, n=20, method="inclusive")
    return {
        "n": len(seconds),
        "min": round(min(seconds), 3),
        "p50": round(statistics.median(seconds), 3),
        "p95": round(cuts[18], 3),
        "max": round(max(seconds), 3),
    }
