"""Copying a file that others may change at any moment, and proving that they did not."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mysimbdp.errors import Code, Problem, TerminalError, TransientError
from mysimbdp.landing.completeness import Seen, seen
from mysimbdp.landing.moving import full_disk_is_transient
from mysimbdp.landing.names import safe_label
from mysimbdp.landing.writers import has_writer

BLOCK = 1 << 20

Step = Callable[[str], None]
"""Called with a name between any two steps; tests raise from it where a crash could happen."""


def no_step(_name: str) -> None:
    """The step hook of real life: nothing happens between two steps."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A copy: sha256 in hexadecimal, size in bytes."""

    sha256: str
    size: int


def copy_unchanged(
    path: Path,
    target: Path,
    expected: Seen,
    *,
    on_bytes: Callable[[int], None] = lambda _: None,
    step: Step = no_step,
) -> Taken:
    """Copy `path`, which looked like `expected`, to `target` on disk, hashing on the way. Follows no links.

    `on_bytes` gets the size of each block. When anything goes wrong, `target` is removed.

    Raises:
        TerminalError: FILE_VANISHED, FILE_UNREADABLE.
        TransientError: FILE_STILL_GROWING, STORAGE_FULL; FILE_UNREADABLE when the disk reports a fault.
    """
    source = _open(path, expected)
    try:
        _must_be(expected, source)
        _must_be_done(expected, source)
        step("before copy")
        with full_disk_is_transient(target):
            taken = _stream(source, target, expected, on_bytes)
        step("copied")
        _must_be(expected, source)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    finally:
        os.close(source)
    return taken


def _open(path: Path, expected: Seen) -> int:
    label = safe_label(expected.name)
    try:
        # NONBLOCK: opening a pipe must not wait for its writer. NOFOLLOW: a link put there since is refused.
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        what = "it was there a moment ago and is gone now"
        raise TerminalError(Problem(Code.FILE_VANISHED, what, label)) from error
    except PermissionError as error:
        what = "its permissions forbid reading it"
        raise TerminalError(Problem(Code.FILE_UNREADABLE, what, label)) from error
    except OSError as error:
        if os.path.lexists(path) and seen(expected.name, path.lstat()) != expected:
            raise _still_growing(label) from error  # it became a link (ELOOP), a socket (ENXIO), …
        what = f"it cannot be opened: {error.strerror}"
        raise TransientError(Problem(Code.FILE_UNREADABLE, what, label)) from error


def _must_be_done(expected: Seen, source: int) -> None:
    if has_writer(source):
        raise _still_growing(safe_label(expected.name))


def _must_be(expected: Seen, source: int) -> None:
    if seen(expected.name, os.fstat(source)) != expected:
        raise _still_growing(safe_label(expected.name))


def _still_growing(label: str) -> TransientError:
    return TransientError(Problem(Code.FILE_STILL_GROWING, "it changed after it had looked complete", label))


def _stream(source: int, target: Path, expected: Seen, on_bytes: Callable[[int], None]) -> Taken:
    label = safe_label(expected.name)
    digest = hashlib.sha256()
    size = 0
    block = memoryview(bytearray(BLOCK))
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb", buffering=0) as stream:
        while count := _read(source, block, label):
            digest.update(block[:count])
            _write_all(stream.fileno(), block[:count])
            on_bytes(count)
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
