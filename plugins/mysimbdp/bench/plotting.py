"""A comparison as a picture: rows a second, a panel for each shape, a bar for each writer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mysimbdp.bench.comparison import table
from mysimbdp.bench.shapes import SHAPES
from mysimbdp.bench.writers.catalogue import WRITERS

OURS, PEERS = "#1b6ca8", "#b8c4ce"
_PANEL_INCHES = (5.6, 3.2)


def plot(loads: Sequence[dict[str, Any]], path: Path) -> None:
    """Write the PNG `path`. A writer that failed keeps its place, with the word and no bar."""
    import matplotlib as mpl  # noqa: PLC0415  # a second of import, only where a picture is asked for

    mpl.use("agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    rows = table(loads)
    shapes = list(dict.fromkeys(row["shape"] for row in rows))
    across = min(2, len(shapes))
    down = -(-len(shapes) // across)
    figure, panels = plt.subplots(
        down, across, figsize=(_PANEL_INCHES[0] * across, _PANEL_INCHES[1] * down), squeeze=False, layout="constrained"
    )
    for panel, shape in zip(panels.flat, shapes, strict=False):
        its = [row for row in rows if row["shape"] == shape]
        rates = [row.get("rows_s", 0) for row in its]
        colours = [OURS if WRITERS[row["writer"]].ours else PEERS for row in its]
        bars = panel.barh([row["writer"] for row in its], rates, color=colours)
        labels = [f"{rate:,.0f}" if rate else "failed" for rate in rates]
        panel.bar_label(bars, labels, padding=3, fontsize=9)
        panel.set_title(f"{SHAPES[shape].title} ({max(row['rows'] for row in its):,} rows)", fontsize=10)
        panel.set_xlabel("rows a second", fontsize=9)
        panel.locator_params(axis="x", nbins=4)
        panel.xaxis.set_major_formatter("{x:,.0f}")
        panel.set_xlim(0, 1.18 * max([*rates, 1]))
        panel.invert_yaxis()
        panel.spines[["top", "right"]].set_visible(False)
        panel.tick_params(labelsize=9)
    for panel in panels.flat[len(shapes) :]:
        panel.set_visible(False)
    figure.savefig(path, dpi=120)
    plt.close(figure)
