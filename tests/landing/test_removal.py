from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from hostile_names import ALL
from landing.conftest import CrashError, crash_at, look
from mysimbdp.landing.completeness import Kind, Seen, complete_files, scan
from mysimbdp.landing.layout import Landing
from mysimbdp.landing.names import safe_label
from mysimbdp.landing.removal import MovedAside, move_aside, remove_taken

INGEST = UUID("7f0f9a80-c8a2-11f0-8de9-0242ac120002")


def aside(landing: Landing, seen: Seen, **more: object) -> MovedAside:
    target = landing.rejected_file(INGEST, seen.name)
    return move_aside(landing.inbox / seen.name, target, seen, **more)  # type: ignore[arg-type]  # step only


def left(landing: Landing) -> list[str]:
    return sorted(path.name for path in landing.inbox.iterdir())


@pytest.mark.parametrize("case", ALL)
def test_the_taken_file_goes(landing: Landing, drop: Callable[..., Seen], case: str) -> None:
    seen = drop(ALL[case])
    remove_taken(landing.inbox / seen.name, seen)
    assert left(landing) == []


def test_removing_again_is_fine(landing: Landing, drop: Callable[..., Seen]) -> None:
    seen = drop("a.csv")
    remove_taken(landing.inbox / "a.csv", seen)
    remove_taken(landing.inbox / "a.csv", seen)


def test_a_file_changed_since_stays(landing: Landing, drop: Callable[..., Seen]) -> None:
    seen = drop("a.csv", b"1")
    (landing.inbox / "a.csv").write_bytes(b"12")
    remove_taken(landing.inbox / "a.csv", seen)
    assert left(landing) == ["a.csv"]


def test_a_new_file_under_the_old_name_stays(landing: Landing, drop: Callable[..., Seen]) -> None:
    seen = drop("a.csv", b"old")
    (landing.inbox / "draft").write_bytes(b"new")
    (landing.inbox / "draft").rename(landing.inbox / "a.csv")
    remove_taken(landing.inbox / "a.csv", seen)
    assert (landing.inbox / "a.csv").read_bytes() == b"new"


def test_a_new_file_that_comes_between_look_and_removal_stays(
    landing: Landing, drop: Callable[..., Seen], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = drop("a.csv", b"old")
    real = Path.rename

    def overtaken(self: Path, target: Path) -> Path:
        if self == landing.inbox / "a.csv":
            monkeypatch.undo()
            (landing.inbox / "draft").write_bytes(b"newer")
            real(landing.inbox / "draft", landing.inbox / "a.csv")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", overtaken)
    remove_taken(landing.inbox / "a.csv", seen)
    assert (landing.inbox / "a.csv").read_bytes() == b"newer"
    assert left(landing) == ["a.csv"]


@pytest.mark.parametrize("step", ["held", "removed"])
def test_after_a_crash_removal_is_finished_and_no_later_file_is_harmed(
    landing: Landing, drop: Callable[..., Seen], step: str
) -> None:
    seen = drop("a.csv", b"old")
    with pytest.raises(CrashError):
        remove_taken(landing.inbox / "a.csv", seen, step=crash_at(step))
    assert "a.csv" not in scan(landing.inbox).files
    drop("a.csv", b"new")
    remove_taken(landing.inbox / "a.csv", seen)
    assert left(landing) == ["a.csv"]
    assert (landing.inbox / "a.csv").read_bytes() == b"new"


def test_what_is_held_is_no_file_to_be_taken(landing: Landing, drop: Callable[..., Seen]) -> None:
    seen = drop("a.csv")
    with pytest.raises(CrashError):
        remove_taken(landing.inbox / "a.csv", seen, step=crash_at("held"))
    assert complete_files(scan(landing.inbox), scan(landing.inbox)) == []


def test_the_marker_goes_with_its_file(landing: Landing, drop: Callable[..., Seen]) -> None:
    seen = drop("a.csv")
    drop("a.csv.done", b"")
    with pytest.raises(CrashError):
        remove_taken(landing.inbox / "a.csv", seen, done_marker=True, step=crash_at("removed"))
    assert left(landing) == ["a.csv.done"]
    remove_taken(landing.inbox / "a.csv", seen, done_marker=True)
    assert left(landing) == []


def test_the_marker_of_a_newer_file_stays(landing: Landing, drop: Callable[..., Seen]) -> None:
    seen = drop("a.csv", b"old")
    drop("a.csv.done", b"")
    (landing.inbox / "a.csv").unlink()
    drop("a.csv", b"newer")
    remove_taken(landing.inbox / "a.csv", seen, done_marker=True)
    assert left(landing) == ["a.csv", "a.csv.done"]


def test_a_name_too_long_for_a_marker_is_removed_too(landing: Landing, drop: Callable[..., Seen]) -> None:
    seen = drop(f"{'a' * 251}.csv")
    remove_taken(landing.inbox / seen.name, seen, done_marker=True)
    assert left(landing) == []


@pytest.mark.parametrize("case", ALL)
def test_a_rejected_file_is_kept_for_the_customer(landing: Landing, drop: Callable[..., Seen], case: str) -> None:
    seen = drop(ALL[case], b"bad")
    moved = aside(landing, seen)
    assert moved.path is not None
    assert moved.path.read_bytes() == b"bad"
    assert left(landing) == []


@pytest.mark.parametrize("step", ["held", "moved"])
def test_after_a_crash_moving_aside_is_finished(landing: Landing, drop: Callable[..., Seen], step: str) -> None:
    seen = drop("a.csv", b"bad")
    with pytest.raises(CrashError):
        aside(landing, seen, step=crash_at(step))
    moved = aside(landing, seen)
    assert moved.path is not None
    assert moved.path.read_bytes() == b"bad"
    assert left(landing) == []


def test_moving_aside_leaves_a_newer_file_alone(landing: Landing, drop: Callable[..., Seen]) -> None:
    seen = drop("a.csv", b"bad")
    (landing.inbox / "a.csv").write_bytes(b"better")
    assert aside(landing, seen).path is None
    assert left(landing) == ["a.csv"]


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../../secret", "b.csv", "nowhere\n"])
def test_a_link_is_removed_and_described_and_its_target_untouched(
    landing: Landing, drop: Callable[..., Seen], target: str
) -> None:
    drop("b.csv")
    (landing.inbox / "a.csv").symlink_to(target)
    moved = aside(landing, look(landing.inbox / "a.csv"))
    assert moved == MovedAside(Kind.LINK, None, safe_label(target))
    assert left(landing) == ["b.csv"]
    assert list(landing.rejected.iterdir()) == []
    assert Path("/etc/passwd").exists()


def test_a_link_to_a_folder_is_removed_not_its_folder(landing: Landing, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious").write_text("x")
    (landing.inbox / "a").symlink_to(tmp_path / "outside")
    aside(landing, look(landing.inbox / "a"))
    assert (tmp_path / "outside" / "precious").exists()
    assert left(landing) == []


def test_the_text_of_a_link_survives_a_crash(landing: Landing) -> None:
    (landing.inbox / "a.csv").symlink_to("/etc/passwd")
    seen = look(landing.inbox / "a.csv")
    with pytest.raises(CrashError):
        aside(landing, seen, step=crash_at("held"))
    assert aside(landing, seen).target == "/etc/passwd"


def test_a_pipe_and_a_socket_are_removed(landing: Landing, tmp_path: Path) -> None:
    os.mkfifo(landing.inbox / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        (tmp_path / "s").rename(landing.inbox / "socket")
        for name, kind in (("pipe", Kind.PIPE), ("socket", Kind.SOCKET)):
            assert aside(landing, look(landing.inbox / name)) == MovedAside(kind, None)
    assert left(landing) == []


def test_a_folder_is_moved_aside_whole(landing: Landing) -> None:
    (landing.inbox / "sub").mkdir()
    (landing.inbox / "sub" / "a.csv").write_text("1")
    moved = aside(landing, look(landing.inbox / "sub"))
    assert moved.path is not None
    assert (moved.path / "a.csv").read_text() == "1"
    assert left(landing) == []
