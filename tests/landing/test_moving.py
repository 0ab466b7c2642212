from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from mysimbdp.errors import Code, TransientError
from mysimbdp.landing.moving import move, write_whole


@pytest.fixture
def other_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renaming out of a folder called `here` fails as it does between two file systems."""
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if self.parent.name == "here" and Path(target).parent.name == "there":
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    return tmp_path / "here", tmp_path / "there"


@pytest.mark.parametrize("disk", ["same", "other"])
def test_a_file_is_moved(folders: tuple[Path, Path], request: pytest.FixtureRequest, disk: str) -> None:
    if disk == "other":
        request.getfixturevalue("other_disk")
    here, there = folders
    (here / "a").write_text("1")
    move(here / "a", there / "b")
    assert (there / "b").read_text() == "1"
    assert names(here) == []
    assert names(there) == ["b"]


@pytest.mark.parametrize("disk", ["same", "other"])
def test_a_folder_is_moved(folders: tuple[Path, Path], request: pytest.FixtureRequest, disk: str) -> None:
    if disk == "other":
        request.getfixturevalue("other_disk")
    here, there = folders
    (here / "a").mkdir()
    (here / "a" / "x").write_text("1")
    (here / "a" / "link").symlink_to("/etc/passwd")
    move(here / "a", there / "b")
    assert (there / "b" / "x").read_text() == "1"
    assert (there / "b" / "link").is_symlink()
    assert names(here) == []


def test_a_full_disk_leaves_the_source(
    folders: tuple[Path, Path], other_disk: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = folders
    (here / "a").write_text("1")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("mysimbdp.landing.moving.shutil.copy2", full)
    with pytest.raises(TransientError) as caught:
        move(here / "a", there / "b")
    assert caught.value.problem.code is Code.STORAGE_FULL
    assert (here / "a").exists()
    assert not (there / "b").exists()


def test_what_is_not_there_is_not_moved(folders: tuple[Path, Path]) -> None:
    with pytest.raises(FileNotFoundError):
        move(folders[0] / "a", folders[1] / "b")


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"old")
    write_whole(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_a_draft_of_a_killed_writer_or_a_link_in_its_place_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    (tmp_path / ".a.part").symlink_to("precious")
    write_whole(tmp_path / "a", b"new")
    assert (tmp_path / "precious").read_text() == "x"
    assert not (tmp_path / "a").is_symlink()
