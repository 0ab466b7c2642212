"""Into private staging: what is ingested is the platform's own copy, out of the customer's reach."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mysimbdp.errors import Code, MysimbdpError, Problem, TerminalError, TransientError
from mysimbdp.landing.completeness import Kind, Seen, seen
from mysimbdp.landing.moving import full_disk_is_transient, sync_folder
from mysimbdp.landing.names import safe_label

BLOCK = 1 << 20

Step = Callable[[str], None]
"""Called with a name between any two steps; tests raise from it where a crash could happen."""


def no_step(_name: str) -> None:
    """The step hook of real life: nothing happens between two steps."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A private copy: sha256 in hexadecimal, size in bytes."""

    sha256: str
    size: int


def take_copy(inbox_path: Path, staged_path: Path, expected: Seen, max_bytes: int, *, step: Step = no_step) -> Taken:
    """Copy the inbox's file to `staged_path`, hashing on the way, and prove that it did not change meanwhile.

    Calling it again after a crash copies again, or hashes the copy when the inbox's file is gone by then.

    Raises:
        TerminalError: FILE_VANISHED, FILE_UNREADABLE, FILE_NOT_REGULAR, FILE_TOO_LARGE (bytes > max_bytes).
        TransientError: FILE_STILL_GROWING, STORAGE_FULL; FILE_UNREADABLE when the disk reports a fault.
    """
    label = safe_label(expected.name)
    if expected.kind is not Kind.FILE:
        raise TerminalError(Problem(Code.FILE_NOT_REGULAR, f"it is a {expected.kind}", label))
    if expected.size > max_bytes:
        what = f"{expected.size:,} bytes are more than the {max_bytes:,} a file may have"
        raise TerminalError(Problem(Code.FILE_TOO_LARGE, what, label))
    try:
        source = _open(inbox_path, expected)
    except MysimbdpError as error:
        if error.problem.code is Code.FILE_VANISHED and staged_path.exists():
            return _hash(staged_path)
        raise
    try:
        return _copy(source, staged_path, expected, step)
    finally:
        os.close(source)


def _open(path: Path, expected: Seen) -> int:
    label = safe_label(expected.name)
    try:
        # NONBLOCK: opening a pipe must not wait for its writer. NOFOLLOW: a link put there since is refused.
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        what = "it was there a moment ago and is gone now"
        raise TerminalError(Problem(Code.FILE_VANISHED, what, label)) from error
    except PermissionError as error:
        what = "the platform may not read it"
        raise TerminalError(Problem(Code.FILE_UNREADABLE, what, label)) from error
    except OSError as error:
        if os.path.lexists(path) and seen(expected.name, path.lstat()) != expected:
            raise _still_growing(label) from error  # it became a link (ELOOP), a socket (ENXIO), …
        what = f"it cannot be opened: {error.strerror}"
        raise TransientError(Problem(Code.FILE_UNREADABLE, what, label)) from error


def _copy(source: int, staged_path: Path, expected: Seen, step: Step) -> Taken:
    _must_be(expected, source)
    staged_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Two runs may copy the same file at once (a ring and a hand-triggered run): each writes a draft of its own,
    # and whichever renames last replaces the copy by the same bytes.
    draft = staged_path.with_name(f"{staged_path.name}.{secrets.token_hex(8)}.part")
    step("before copy")
    try:
        with full_disk_is_transient(staged_path):
            taken = _stream(source, draft, expected)
        step("copied")
        _must_be(expected, source)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    draft.rename(staged_path)
    step("renamed")
    sync_folder(staged_path.parent)
    return taken


def _must_be(expected: Seen, source: int) -> None:
    if seen(expected.name, os.fstat(source)) != expected:
        raise _still_growing(safe_label(expected.name))


def _still_growing(label: str) -> TransientError:
    return TransientError(Problem(Code.FILE_STILL_GROWING, "it changed after it had looked complete", label))


def _stream(source: int, draft: Path, expected: Seen) -> Taken:
    label = safe_label(expected.name)
    digest = hashlib.sha256()
    size = 0
    block = memoryview(bytearray(BLOCK))
    target = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(target, "wb", buffering=0) as stream:
        while count := _read(source, block, label):
            digest.update(block[:count])
            _write_all(stream.fileno(), block[:count])
            size += count
            if size > expected.size:  # somebody appends as fast as we copy
                raise _still_growing(label)
        os.fsync(stream.fileno())
    return Taken(digest.hexdigest(), size)


def _read(source: int, block: memoryview, label: str) -> int:
    try:
        return os.readv(source, [block])
    except OSError as error:
        what = f"reading it failed: {error.strerror}"
        raise TransientError(Problem(Code.FILE_UNREADABLE, what, label)) from error


def _write_all(target: int, data: memoryview) -> None:
    while data:
        data = data[os.write(target, data) :]


def _hash(path: Path) -> Taken:
    with path.open("rb") as stream:
        return Taken(hashlib.file_digest(stream, "sha256").hexdigest(), os.fstat(stream.fileno()).st_size)
