"""A small comparison on a real node, as its user meets it: results, files left, exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mysimbdp.bench import load as load_module
from mysimbdp.bench.load import Plan, compare
from mysimbdp.bench.writers.catalogue import WRITERS, Writer
from mysimbdp.bench.writers.job import Job
from mysimbdp.cli.app import build
from mysimbdp.coredms.hook import hook_session
from mysimbdp.onebox.onebox import Onebox
from mysimbdp.settings import settings

ROWS = 2000
_quiet = lambda _text: None  # noqa: E731


@pytest.fixture
def keyspaces(coredms_only: Onebox) -> Iterator[None]:
    """What a comparison made is gone afterwards."""
    before = _keyspaces()
    yield
    assert _keyspaces() == before


def _keyspaces() -> set[str]:
    with hook_session() as session:
        return {row.keyspace_name for row in session.execute("SELECT keyspace_name FROM system_schema.keyspaces")}


@pytest.mark.onebox
@pytest.mark.usefixtures("keyspaces")
def test_every_writer_loads_every_row_of_the_same_file() -> None:
    writers = ["ingest", "loader", "row", "concurrent", "cqlsh"]
    result = compare(Plan(["hundred"], writers, ROWS, warm_up_rows=0), tell=_quiet)
    loads = {load["writer"]: load for load in result["loads"]}
    assert [(name, load["failure"], load["rows_found"]) for name, load in loads.items()] == [
        (name, None, ROWS) for name in writers
    ]
    assert all(load["rows_per_second"] > 0 and load["server_cpu_us_per_row"] > 0 for load in loads.values())
    assert all(10 < load["peak_rss_mb"] < 2000 for load in loads.values())
    assert set(loads["ingest"]["stages"]) == {"app", "copy", "load"}
    assert result["versions"]["cassandra"].startswith("5.")
    home = settings().home
    assert not list((home / "bench").iterdir())
    assert not [path for root in ("landing", "archive", "staging") for path in (home / root).glob("bench_*")]


@pytest.mark.onebox
@pytest.mark.usefixtures("keyspaces")
def test_interrupted_it_gives_what_it_has_until_then(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_job: Job) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setitem(load_module.WRITERS, "never", Writer("never", "Ctrl-C", interrupt))
    result = compare(Plan(["one", "wide"], ["concurrent", "never", "row"], 100, warm_up_rows=0), tell=_quiet)
    assert result["interrupted"]
    assert [(load["shape"], load["writer"]) for load in result["loads"]] == [("one", "concurrent")]


@pytest.mark.onebox
@pytest.mark.usefixtures("keyspaces")
def test_a_writer_that_leaves_a_row_out_has_a_failure_and_no_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_short(job: Job) -> list[str]:
        command = WRITERS["concurrent"].command(job)
        return [*command[:-1], str(job.rows - 1)]

    monkeypatch.setitem(load_module.WRITERS, "short", Writer("short", "a liar", one_short))
    [load] = compare(Plan(["one"], ["short"], 100, warm_up_rows=0), tell=_quiet)["loads"]
    assert load["failure"].startswith("99 rows are in the table, 99 of them whole; 100 were to be")
    assert (load["rows_per_second"], load["rows_found"]) == (None, 99)
    assert [path.name for path in (settings().home / "bench").glob("bench_*/std*")]


@pytest.mark.parametrize(
    ("failure", "interrupted", "code"), [(None, False, 0), ("99 rows are in the table", False, 1), (None, True, 1)]
)
def test_the_command_prints_json_and_draws_and_ends_with_1_when_a_writer_failed_or_it_was_interrupted(
    failure: str | None, interrupted: bool, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    load = {
        "shape": "one", "writer": "row", "round": 1, "rows": 100, "failure": failure, "mb_per_second": 1.0,
        "rows_per_second": None if failure else 9.0, "client_cpu_us_per_row": 1.0, "server_cpu_us_per_row": 1.0,
        "peak_rss_mb": 1.0,
    }  # fmt: skip
    plans: list[Plan] = []

    def measured(plan: Plan, **_: object) -> dict[str, object]:
        plans.append(plan)
        return {"loads": [load], "interrupted": interrupted}

    monkeypatch.setattr(load_module, "measure", measured)
    picture = tmp_path / "load.png"
    done = CliRunner().invoke(build(), ["bench", "load", "--shapes", "one", "--json", "--plot", str(picture)])
    assert done.exit_code == code, done.output
    assert json.loads(done.stdout)["table"][0]["failure"] == failure
    assert picture.exists()
    assert plans[0].writers == ["ingest", "loader", "row", "concurrent", "cqlsh"]


@pytest.mark.parametrize("words", [("--shapes", "three"), ("--peers", "dsbulk"), ("--ours", "row"), ("--rows", "0")])
def test_a_name_that_is_not_known_or_not_possible_is_wrong_usage(words: tuple[str, str]) -> None:
    assert CliRunner().invoke(build(), ["bench", "load", *words]).exit_code == 2
