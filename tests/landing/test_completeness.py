from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from hostile_names import ALL
from mysimbdp.errors import Code
from mysimbdp.landing.completeness import (
    SETTLED_NS,
    Kind,
    Seen,
    Snapshot,
    Waiting,
    complete_files,
    scan,
    waiting_files,
)
from mysimbdp.landing.layout import Landing


def snapshot(*entries: Seen) -> Snapshot:
    return Snapshot({entry.name: entry for entry in entries})


def entry(name: str = "a.csv", *, size: int = 10, mtime: int = 1, inode: int = 1, kind: Kind = Kind.FILE) -> Seen:
    return Seen(name, size, mtime, mtime, inode, kind)


LOOKS = {
    "unchanged": (entry(), entry(), None),
    "new": (None, entry(), Waiting.STILL_CHANGING),
    "grown": (entry(size=9), entry(), Waiting.STILL_CHANGING),
    "rewritten at the same size": (entry(mtime=1), entry(mtime=2), Waiting.STILL_CHANGING),
    "replaced at the same size and time": (entry(inode=1), entry(inode=2), Waiting.STILL_CHANGING),
    "unchanged under a temporary name": (entry("a.part"), entry("a.part"), Waiting.TEMPORARY_NAME),
    "unchanged dot file": (entry(".a.csv"), entry(".a.csv"), Waiting.TEMPORARY_NAME),
    "empty but unchanged": (entry(size=0), entry(size=0), None),
    "link": (entry(kind=Kind.LINK), entry(kind=Kind.LINK), None),
    "pipe": (entry(kind=Kind.PIPE), entry(kind=Kind.PIPE), None),
    "folder": (entry(kind=Kind.FOLDER), entry(kind=Kind.FOLDER), None),
    "hidden folder": (entry(".ssh", kind=Kind.FOLDER), entry(".ssh", kind=Kind.FOLDER), Waiting.TEMPORARY_NAME),
}


@pytest.mark.parametrize("case", LOOKS)
def test_a_file_is_complete_when_two_looks_agree(case: str) -> None:
    before, now, why = LOOKS[case]
    previous = snapshot(before) if before else snapshot()
    assert complete_files(previous, snapshot(now)) == ([] if why else [now])
    assert waiting_files(previous, snapshot(now)) == ([(now, why)] if why else [])


def test_with_a_marker_asked_for_a_file_waits_for_it() -> None:
    data, marker = entry("a.csv"), entry("a.csv.done", size=0)
    without, with_it = snapshot(data), snapshot(data, marker)
    assert complete_files(without, without, done_marker=True) == []
    assert waiting_files(without, without, done_marker=True) == [(data, Waiting.NO_MARKER)]
    assert complete_files(with_it, with_it, done_marker=True) == [data]
    assert waiting_files(with_it, with_it, done_marker=True) == []


def test_a_marker_does_not_make_a_growing_file_complete() -> None:
    marker = entry("a.csv.done", size=0)
    previous, current = snapshot(entry(size=1), marker), snapshot(entry(size=2), marker)
    assert complete_files(previous, current, done_marker=True) == []


def test_a_link_needs_no_marker_to_be_rejected() -> None:
    link = snapshot(entry(kind=Kind.LINK))
    assert complete_files(link, link, done_marker=True) == [entry(kind=Kind.LINK)]


def test_the_oldest_file_comes_first() -> None:
    files = snapshot(entry("new", mtime=3), entry("b", mtime=1), entry("a", mtime=1))
    assert [found.name for found in complete_files(files, files)] == ["a", "b", "new"]


def test_one_temporary_file_holds_up_nobody() -> None:
    files = snapshot(entry("a.csv.part"), entry("b.csv"))
    assert [found.name for found in complete_files(files, files)] == ["b.csv"]


@pytest.mark.parametrize("case", ALL)
def test_scan_sees_every_hostile_name(landing: Landing, drop: Callable[..., Seen], case: str) -> None:
    dropped = drop(ALL[case])
    assert scan(landing.inbox).files == {ALL[case]: dropped}


def test_scan_tells_kinds_apart_and_follows_nothing(landing: Landing, tmp_path: Path) -> None:
    (landing.inbox / "file").write_text("x")
    (landing.inbox / "folder").mkdir()
    (landing.inbox / "link").symlink_to("/etc/passwd")
    (landing.inbox / "dangling").symlink_to("nowhere")
    (landing.inbox / "loop").symlink_to("loop")
    os.mkfifo(landing.inbox / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        (tmp_path / "s").rename(landing.inbox / "socket")
        kinds = {name: found.kind for name, found in scan(landing.inbox).files.items()}
    assert kinds == {
        "file": Kind.FILE, "folder": Kind.FOLDER, "link": Kind.LINK, "dangling": Kind.LINK, "loop": Kind.LINK,
        "pipe": Kind.PIPE, "socket": Kind.SOCKET,
    }  # fmt: skip


def test_a_growing_file_is_complete_only_once_it_rests(landing: Landing, drop: Callable[..., Seen]) -> None:
    drop("a.csv", b"1")
    first = scan(landing.inbox)
    with (landing.inbox / "a.csv").open("ab") as stream:
        stream.write(b"2")
    second = scan(landing.inbox, first)
    assert complete_files(first, second) == []
    third = scan(landing.inbox, second)
    assert [found.size for found in complete_files(second, third)] == [2]


def test_a_missing_inbox_is_a_visible_problem_not_an_empty_one(landing: Landing) -> None:
    landing.inbox.rmdir()
    found = scan(landing.inbox)
    assert found.problem is not None
    assert found.problem.code is Code.LANDING_UNREADABLE
    assert found.problem.file == str(landing.inbox)


def test_an_inbox_that_is_a_file_is_a_visible_problem(landing: Landing) -> None:
    landing.inbox.rmdir()
    landing.inbox.write_text("")
    found = scan(landing.inbox)
    assert found.problem is not None


def test_an_inbox_that_comes_back_is_seen_again(landing: Landing, drop: Callable[..., Seen]) -> None:
    landing.inbox.rmdir()
    broken = scan(landing.inbox)
    landing.ensure()
    dropped = drop("a.csv")
    assert scan(landing.inbox, broken).files == {"a.csv": dropped}


def settle(folder: Path) -> None:
    long_ago = folder.stat().st_mtime_ns - 2 * SETTLED_NS
    os.utime(folder, ns=(long_ago, long_ago))


def test_an_empty_settled_folder_is_not_listed_again(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(landing.inbox)
    first = scan(landing.inbox)
    monkeypatch.setattr(os, "scandir", lambda _: pytest.fail("listed although nothing changed"))
    assert scan(landing.inbox, first) is first


def test_a_file_in_a_settled_folder_is_seen_at_once(landing: Landing, drop: Callable[..., Seen]) -> None:
    settle(landing.inbox)
    first = scan(landing.inbox)
    drop("a.csv")
    assert "a.csv" in scan(landing.inbox, first).files


def test_an_empty_folder_is_not_trusted_before_it_has_settled(landing: Landing, drop: Callable[..., Seen]) -> None:
    """A clock that ticks coarsely gives the folder the same mtime before and after a file comes."""
    first = scan(landing.inbox)
    before = landing.inbox.stat().st_mtime_ns
    drop("a.csv")
    os.utime(landing.inbox, ns=(before, before))
    assert "a.csv" in scan(landing.inbox, first).files


def test_a_folder_with_files_is_always_listed(landing: Landing, drop: Callable[..., Seen]) -> None:
    drop("a.csv", b"1")
    settle(landing.inbox)
    first = scan(landing.inbox)
    assert first.empty_since_ns is None
    (landing.inbox / "a.csv").write_bytes(b"12")
    assert scan(landing.inbox, first).files["a.csv"].size == 2
