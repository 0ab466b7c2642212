"""From loads to lines, ratios, verdicts, the page and the picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mysimbdp.bench.comparison import TARGETS, Target, table
from mysimbdp.bench.performance_page import performance_page
from mysimbdp.bench.plotting import plot


def load(writer: str, rate: float | None, *, shape: str = "one", number: int = 1, **facts: Any) -> dict[str, Any]:
    return {
        "shape": shape, "writer": writer, "round": number, "rows": 1000, "rows_per_second": rate,
        "mb_per_second": 1.0, "client_cpu_us_per_row": 9.0, "server_cpu_us_per_row": 50.0, "peak_rss_mb": 100.0,
        "failure": None if rate else "900 rows are in the table; exit code 0: no word",
        "seconds": 10.0, "stages": {"copy": 1.0, "load": 7.5} if writer == "ingest" else {}, **facts,
    }  # fmt: skip


def test_a_line_holds_medians_and_how_many_times_as_fast_ours_is() -> None:
    loads = [load("ingest", 30.0, number=n) for n in (1, 2, 3)]
    loads += [load("row", rate, number=n) for n, rate in enumerate((1.0, 2.0, 90.0), start=1)]
    ingest, row = table(loads)
    assert (row["rows_s"], row["ingest_x"], ingest["ingest_x"]) == (2.0, 15.0, 1.0)


def test_shapes_do_not_mix() -> None:
    lines = table([load("ingest", 30.0), load("ingest", 60.0, shape="hundred"), load("row", 1.0, shape="hundred")])
    assert [(line["shape"], line["writer"], line["ingest_x"]) for line in lines] == [
        ("one", "ingest", 1.0),
        ("hundred", "ingest", 1.0),
        ("hundred", "row", 60.0),
    ]


def test_a_writer_that_failed_once_has_its_failure_and_no_rate() -> None:
    ingest, row = table([load("ingest", 30.0), load("row", 1.0), load("row", None, number=2)])
    assert row["failure"].startswith("900 rows")
    assert "rows_s" not in row
    assert ingest["rows_s"] == 30.0


@pytest.mark.parametrize(
    ("rates", "verdict"),
    [
        ({"ingest": 26.0, "dsbulk": 10.0, "dsbulk-replica-set": 20.0}, "Met: words, at least 1.3×; measured 1.30×."),
        ({"ingest": 25.0, "dsbulk": 10.0, "dsbulk-replica-set": 20.0}, "Missed: words, at least 1.3×; measured 1.25×."),
        ({"ingest": 25.0, "dsbulk": 10.0}, "Met: words, at least 1.3×; measured 2.50×."),
        ({"ingest": 25.0, "row": 1.0}, None),
        ({"ingest": None, "dsbulk": 10.0}, None),
    ],
)
def test_a_target_is_against_the_fastest_peer_that_was_measured(
    rates: dict[str, float | None], verdict: str | None
) -> None:
    target = Target("one", ("dsbulk", "dsbulk-replica-set"), 1.3, "words")
    assert target.verdict([load(name, rate) for name, rate in rates.items()]) == verdict


def test_a_target_missed_in_one_round_is_missed() -> None:
    loads = [load("row", 1.0, number=n) for n in (1, 2)]
    loads += [load("ingest", 31.0), load("ingest", 29.0, number=2)]
    assert TARGETS[0].verdict(loads) == (
        "Missed: one-row partitions, against one insert a row, at least 30×; measured 31.00×, 29.00×."
    )


def test_the_page_names_machine_command_failures_and_targets(tmp_path: Path) -> None:
    loads = [load("ingest", 31.0), load("row", 1.0), load("cqlsh", None)]
    result = {
        "date": "2026-11-25", "command": "mysimbdp bench load --shapes one", "cassandra_heap": "512M",
        "rounds": 1, "interrupted": False,
        "machine": {"cores": 2, "memory_gib": 24, "system": "Linux", "python": "3.11"},
        "versions": {"cassandra": "5.0.6"}, "loads": loads,
    }  # fmt: skip
    page = performance_page([result])
    for words in ("`mysimbdp bench load --shapes one`", "2 cores, 24 GiB", "cassandra 5.0.6", "Met: one-row"):
        assert words in page
    assert "`ingest`, round 1: 10.0 s, of these copy 1.0 s, load 7.5 s, the rest 1.5 s." in page
    assert "| cqlsh | 1,000 | failed: 900 rows are in the table |" in page
    plot(loads, tmp_path / "load.png")
    assert (tmp_path / "load.png").read_bytes().startswith(b"\x89PNG")
