"""What the loads of a comparison say: one line a writer, ratios of ours to each peer, targets met or missed."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mysimbdp.bench.writers.catalogue import WRITERS

COLUMNS = (
    "shape", "writer", "rows", "rows_s", "mb_s", "client_us_row", "server_us_row", "peak_rss_mb", "failure",
)  # fmt: skip
_MEDIANS = {
    "rows_s": "rows_per_second",
    "mb_s": "mb_per_second",
    "client_us_row": "client_cpu_us_per_row",
    "server_us_row": "server_cpu_us_per_row",
    "peak_rss_mb": "peak_rss_mb",
}


@dataclass(frozen=True, slots=True)
class Target:
    """`mysimbdp ingest` is to be `times` as fast as the fastest of `peers`, on `shape`."""

    shape: str
    peers: tuple[str, ...]
    times: float
    words: str

    def verdict(self, loads: Sequence[dict[str, Any]]) -> str | None:
        """A sentence with the ratio of every round; None when it was not measured."""
        ratios = []
        for number in sorted({load["round"] for load in loads}):
            rates = _rates([load for load in loads if load["round"] == number], self.shape)
            fastest = max((rates[peer] for peer in self.peers if peer in rates), default=None)
            if fastest and "ingest" in rates:
                ratios.append(rates["ingest"] / fastest)
        if not ratios:
            return None
        said = "Met" if min(ratios) >= self.times else "Missed"
        shown = ", ".join(f"{ratio:.2f}×" for ratio in ratios)
        return f"{said}: {self.words}, at least {self.times:g}×; measured {shown}."


TARGETS = (
    Target("one", ("row",), 30, "one-row partitions, against one insert a row"),
    Target("one", ("cqlsh",), 2.5, "one-row partitions, against cqlsh COPY"),
    Target("one", ("dsbulk",), 2, "one-row partitions, against DSBulk with its defaults"),
    Target("one", ("dsbulk", "dsbulk-replica-set"), 1.3, "one-row partitions, against DSBulk at its best"),
    Target("hundred", ("row",), 50, "100-row partitions, against one insert a row"),
    Target("hundred", ("dsbulk", "dsbulk-replica-set"), 1.8, "100-row partitions, against DSBulk at its best"),
)
"""For `mysimbdp ingest` on a million rows."""


def table(loads: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for each shape and writer, in the order of `loads`: medians over the rounds, and `<ours>_x`.

    `<ours>_x` is how many times as fast as this writer our writer `<ours>` is. A writer that failed in any round has
    its failure and no figures.
    """
    rows = []
    for shape, name in dict.fromkeys((load["shape"], load["writer"]) for load in loads):
        its = [load for load in loads if (load["shape"], load["writer"]) == (shape, name)]
        failure = next((load["failure"] for load in its if load["failure"]), None)
        row: dict[str, Any] = {"shape": shape, "writer": name, "rows": its[0]["rows"], "failure": failure}
        if failure is None:
            row |= {short: statistics.median(load[long] for load in its) for short, long in _MEDIANS.items()}
            rates = _rates(loads, shape)
            row |= {f"{ours}_x": rates[ours] / row["rows_s"] for ours in rates if WRITERS[ours].ours and row["rows_s"]}
        rows.append(row)
    return rows


def _rates(loads: Sequence[dict[str, Any]], shape: str) -> dict[str, float]:
    """Median rows/s of each writer that never failed."""
    rates = {}
    for name in dict.fromkeys(load["writer"] for load in loads):
        its = [load["rows_per_second"] for load in loads if (load["shape"], load["writer"]) == (shape, name)]
        if its and None not in its:
            rates[name] = statistics.median(its)
    return rates
