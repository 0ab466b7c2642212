"""Task logs on disk, and the ids in names; no service is needed."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mysimbdp.errors import TransientError
from mysimbdp.housekeeping import runlogs
from mysimbdp.housekeeping.runlogs import logs_of, prune_logs
from mysimbdp.housekeeping.traces import remove, size_of, traces_in
from mysimbdp.settings import Settings

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
OLD, YOUNG = "00000000-0000-1000-8000-000000000001", "00000000-0001-1000-8000-000000000001"


def log_of(home: Settings, dag_id: str, run: str, *, days: float) -> Path:
    """A task log that was last written to so many days before noon."""
    path = logs_of(home, dag_id) / f"run_id={run}" / "task_id=ingest" / "attempt=1.log"
    path.parent.mkdir(parents=True)
    path.write_text("line\n")
    moment = (NOON - timedelta(days=days)).timestamp()
    for each in (path, *list(path.parents)[:3]):
        os.utime(each, (moment, moment))
    return path


def test_only_runs_that_have_been_quiet_so_long_go_the_oldest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Settings(home=tmp_path)
    young = log_of(home, "batch_a", "young", days=29)
    old = log_of(home, "batch_a", "old", days=31)
    oldest = log_of(home, "batch_a", "oldest", days=99)
    revived = log_of(home, "batch_a", "revived", days=99)
    (revived.parent / "attempt=2.log").touch()
    other = log_of(home, "batch_ab", "old", days=31)
    monkeypatch.setattr(runlogs, "MOST_AT_ONCE", 1)

    planned = asyncio.run(prune_logs(home, "a", "batch_a", 30, NOON, dry_run=True))
    assert oldest.exists()
    done = asyncio.run(prune_logs(home, "a", "batch_a", 30, NOON))
    assert done == planned
    assert (done.count, done.bytes, done.more) == (1, 5, True)
    assert [path.exists() for path in (oldest, old, young)] == [False, True, True]
    assert not asyncio.run(prune_logs(home, "a", "batch_a", 30, NOON)).more
    assert [path.exists() for path in (old, young, revived, other)] == [False, True, True, True]
    assert asyncio.run(prune_logs(home, "c", "batch_c", 30, NOON)).count == 0


@pytest.mark.parametrize(
    ("name", "ingest"),
    [
        (f"{OLD}.csv", OLD),
        (f"a.csv.{OLD}.json", OLD),
        (f"a.csv.{OLD}.rejected.jsonl", OLD),
        (f"{YOUNG}.{OLD}.csv", OLD),
        (f"no_extension.{OLD}", OLD),
        ("DISABLED.txt", None),
        ("c56a4180-65aa-42ec-a945-5fd21dec0538.csv", None),
    ],
)
def test_a_trace_is_named_after_its_ingest(name: str, ingest: str | None, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    assert [str(trace.ingest_id) for trace in traces_in([tmp_path])] == ([ingest] if ingest else [])


def test_traces_come_oldest_first_over_all_folders(tmp_path: Path) -> None:
    for folder, ingest in (("a", YOUNG), ("b", OLD)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{ingest}.csv").touch()
    found = traces_in([tmp_path / "a", tmp_path / "b", tmp_path / "not there"])
    assert [str(trace.ingest_id) for trace in found] == [OLD, YOUNG]


def test_what_a_link_leads_to_is_neither_counted_nor_removed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "theirs.csv").write_text("x" * 10_000)
    folder = tmp_path / "rejected"
    folder.mkdir()
    (folder / "link").symlink_to(elsewhere)
    (tmp_path / "root").symlink_to(elsewhere)
    assert size_of(folder)[1] < 10_000
    for path in (folder, tmp_path / "root", tmp_path / "not there"):
        remove(path)
        assert not os.path.lexists(path)
    assert (elsewhere / "theirs.csv").exists()


def test_what_cannot_be_removed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "file").touch()
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(TransientError, match="Permission denied"):
        remove(tmp_path / "file")
