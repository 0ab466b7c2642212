from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from hostile_names import ALL
from landing.conftest import CrashError, crash_at, look
from mysimbdp.errors import Code, TerminalError, TransientError
from mysimbdp.landing.completeness import Seen
from mysimbdp.landing.copying import BLOCK, Taken
from mysimbdp.landing.layout import Landing
from mysimbdp.landing.staging import take_copy

INGEST = UUID("7f0f9a80-c8a2-11f0-8de9-0242ac120002")
ROOM = 1 << 40
STEPS = ("before copy", "copied", "renamed")


def take(landing: Landing, seen: Seen, **more: object) -> Taken:
    staged = landing.staged_file(INGEST, seen.name)
    return take_copy(landing.inbox / seen.name, staged, seen, ROOM, **more)  # type: ignore[arg-type]  # step only


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7])
def test_the_copy_is_exact_whatever_the_size(landing: Landing, drop: Callable[..., Seen], size: int) -> None:
    content = os.urandom(size)
    taken = take(landing, drop("a.csv", content))
    assert taken == Taken(digest(content), size)
    assert landing.staged_file(INGEST, "a.csv").read_bytes() == content
    assert (landing.inbox / "a.csv").read_bytes() == content


@pytest.mark.parametrize("case", ALL)
def test_every_hostile_name_is_copied(landing: Landing, drop: Callable[..., Seen], case: str) -> None:
    assert take(landing, drop(ALL[case], b"x")) == Taken(digest(b"x"), 1)


def test_the_copy_is_the_platforms_alone(landing: Landing, drop: Callable[..., Seen]) -> None:
    seen = drop("a.csv")
    (landing.inbox / "a.csv").chmod(0o666)
    take(landing, look(landing.inbox / seen.name))
    staged = landing.staged_file(INGEST, "a.csv")
    assert staged.stat().st_mode & 0o777 == 0o600
    assert staged.parent.stat().st_mode & 0o777 == 0o700


def fails(landing: Landing, seen: Seen, kind: type[TerminalError | TransientError], code: Code) -> None:
    with pytest.raises(kind) as caught:
        take(landing, seen)
    assert caught.value.problem.code is code
    folder = landing.staging(INGEST)
    assert not folder.exists() or list(folder.iterdir()) == []


def test_a_file_that_grew_since_it_was_seen_waits(landing: Landing, drop: Callable[..., Seen]) -> None:
    seen = drop("a.csv", b"1")
    (landing.inbox / "a.csv").write_bytes(b"12")
    fails(landing, seen, TransientError, Code.FILE_STILL_GROWING)


def test_a_file_that_grows_while_it_is_copied_waits(
    landing: Landing, drop: Callable[..., Seen], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = drop("a.csv", b"1" * (2 * BLOCK))
    real = os.readv

    def appended_meanwhile(handle: int, blocks: list[memoryview]) -> int:
        with (landing.inbox / "a.csv").open("ab") as stream:
            stream.write(b"2" * BLOCK)
        return real(handle, blocks)

    monkeypatch.setattr(os, "readv", appended_meanwhile)
    fails(landing, seen, TransientError, Code.FILE_STILL_GROWING)


def test_a_file_rewritten_in_place_while_it_is_copied_waits(landing: Landing, drop: Callable[..., Seen]) -> None:
    seen = drop("a.csv", b"old")

    def rewritten(step: str) -> None:
        if step == "copied":
            (landing.inbox / "a.csv").write_bytes(b"new")

    with pytest.raises(TransientError) as caught:
        take(landing, seen, step=rewritten)
    assert caught.value.problem.code is Code.FILE_STILL_GROWING


def test_a_file_that_shrank_waits(landing: Landing, drop: Callable[..., Seen]) -> None:
    seen = drop("a.csv", b"12")
    (landing.inbox / "a.csv").write_bytes(b"1")
    fails(landing, seen, TransientError, Code.FILE_STILL_GROWING)


def test_a_deleted_file_has_vanished(landing: Landing, drop: Callable[..., Seen]) -> None:
    seen = drop("a.csv")
    (landing.inbox / "a.csv").unlink()
    fails(landing, seen, TerminalError, Code.FILE_VANISHED)


def test_a_file_deleted_while_it_is_copied_is_copied_whole(landing: Landing, drop: Callable[..., Seen]) -> None:
    """Its bytes are still ours to read; unlinking changes its ctime, so it counts as changed, and then it is gone."""
    seen = drop("a.csv", b"1")

    def deleted(step: str) -> None:
        if step == "before copy":
            (landing.inbox / "a.csv").unlink()

    with pytest.raises(TransientError):
        take(landing, seen, step=deleted)
    fails(landing, seen, TerminalError, Code.FILE_VANISHED)


def test_an_unreadable_file_is_said_to_be_so(landing: Landing, drop: Callable[..., Seen]) -> None:
    drop("a.csv")
    (landing.inbox / "a.csv").chmod(0)
    seen = look(landing.inbox / "a.csv")
    assert outcome_without_privileges(lambda: take(landing, seen)) == Code.FILE_UNREADABLE


def outcome_without_privileges(action: Callable[[], object]) -> str:
    """The code of the error `action` ends with in a child that may not, as root may, read what it is forbidden."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            drop_capabilities()
            action()
            os.write(writer, b"no error")
        except (TerminalError, TransientError) as error:
            os.write(writer, error.problem.code.encode())
        except BaseException as error:  # noqa: BLE001  # whatever it is, the parent must hear of it
            os.write(writer, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as answer:
        return answer.read()


def drop_capabilities() -> None:
    version_3, every_capability_off = 0x20080522, (ctypes.c_uint32 * 6)()
    header = (ctypes.c_uint32 * 2)(version_3, 0)
    assert ctypes.CDLL(None).capset(header, every_capability_off) == 0


@pytest.mark.parametrize("target", ["/etc/passwd", "b.csv", "nowhere"])
def test_a_link_is_never_followed(landing: Landing, drop: Callable[..., Seen], target: str) -> None:
    drop("b.csv")
    (landing.inbox / "a.csv").symlink_to(target)
    fails(landing, look(landing.inbox / "a.csv"), TerminalError, Code.FILE_NOT_REGULAR)


def test_a_pipe_is_refused_without_waiting_for_a_writer(landing: Landing) -> None:
    os.mkfifo(landing.inbox / "a.csv")
    fails(landing, look(landing.inbox / "a.csv"), TerminalError, Code.FILE_NOT_REGULAR)


def test_a_folder_is_refused(landing: Landing) -> None:
    (landing.inbox / "a.csv").mkdir()
    fails(landing, look(landing.inbox / "a.csv"), TerminalError, Code.FILE_NOT_REGULAR)


def put_link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


@pytest.mark.parametrize("put", [put_link, os.mkfifo, Path.mkdir])
def test_a_file_replaced_by_something_else_since_waits_for_the_next_look(
    landing: Landing, drop: Callable[..., Seen], put: Callable[[Path], None]
) -> None:
    seen = drop("a.csv")
    (landing.inbox / "a.csv").unlink()
    put(landing.inbox / "a.csv")
    fails(landing, seen, TransientError, Code.FILE_STILL_GROWING)


def test_a_file_above_the_limit_is_not_even_opened(landing: Landing, drop: Callable[..., Seen]) -> None:
    seen = drop("a.csv", b"123")
    with pytest.raises(TerminalError) as caught:
        take_copy(landing.inbox / "gone", landing.staged_file(INGEST, "a.csv"), seen, 2)
    assert caught.value.problem.code is Code.FILE_TOO_LARGE


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_makes_the_file_wait(
    landing: Landing, drop: Callable[..., Seen], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    seen = drop("a.csv")

    def full(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "write", full)
    fails(landing, seen, TransientError, Code.STORAGE_FULL)
    monkeypatch.undo()
    assert take(landing, seen).size == seen.size


def test_a_disk_that_cannot_read_makes_the_file_wait(
    landing: Landing, drop: Callable[..., Seen], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = drop("a.csv")

    def broken(*_: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "readv", broken)
    fails(landing, seen, TransientError, Code.FILE_UNREADABLE)


@pytest.mark.parametrize("step", STEPS)
def test_after_a_crash_at_any_step_the_copy_is_taken_again(
    landing: Landing, drop: Callable[..., Seen], step: str
) -> None:
    seen = drop("a.csv", b"content")
    with pytest.raises(CrashError):
        take(landing, seen, step=crash_at(step))
    assert take(landing, seen) == Taken(digest(b"content"), 7)
    assert [path.name for path in landing.staging(INGEST).iterdir()] == ["input-a.csv"]


def test_a_draft_left_by_kill_is_written_over(landing: Landing, drop: Callable[..., Seen]) -> None:
    staged = landing.staged_file(INGEST, "a.csv")
    staged.parent.mkdir()
    staged.with_name(f"{staged.name}.part").write_bytes(b"x" * 100)
    assert take(landing, drop("a.csv", b"1")).size == 1
    assert staged.read_bytes() == b"1"


def test_when_the_inbox_file_is_gone_the_copy_made_before_counts(landing: Landing, drop: Callable[..., Seen]) -> None:
    seen = drop("a.csv", b"1")
    take(landing, seen)
    (landing.inbox / "a.csv").unlink()
    assert take(landing, seen) == Taken(digest(b"1"), 1)


def test_two_runs_may_copy_the_same_file_at_once(landing: Landing, drop: Callable[..., Seen]) -> None:
    seen = drop("a.csv", os.urandom(4 * BLOCK))
    results: list[Taken] = []
    other = UUID("8f0f9a80-c8a2-11f0-8de9-0242ac120002")

    def copy(ingest: UUID) -> None:
        target = landing.staged_file(ingest, seen.name)
        results.append(take_copy(landing.inbox / seen.name, target, seen, ROOM))

    threads = [threading.Thread(target=copy, args=(ingest,)) for ingest in (INGEST, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results[0] == results[1]
