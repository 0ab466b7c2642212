"""Moving and writing files so that a crash at any moment leaves either the old state or the new one."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mysimbdp.errors import Code, Problem, TransientError


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def move(source: Path, target: Path) -> None:
    """Move a file or folder of the platform's own, also to another file system; `target` is replaced.

    Raises:
        FileNotFoundError: there is no `source`.
        TransientError: STORAGE_FULL.
    """
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        draft = target.with_name(f".{target.name}.part")
        with full_disk_is_transient(target):
            if source.is_dir() and not source.is_symlink():
                shutil.rmtree(draft, ignore_errors=True)
                shutil.copytree(source, draft, symlinks=True)
            else:
                shutil.copy2(source, draft, follow_symlinks=False)
                _sync_file(draft)
        draft.rename(target)
        sync_folder(target.parent)
        if source.is_dir() and not source.is_symlink():
            shutil.rmtree(source)
        else:
            source.unlink()
    sync_folder(target.parent)


def write_whole(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write `path` atomically: a reader sees all of it or the file that was there before.

    Raises:
        TransientError: STORAGE_FULL.
    """
    draft = path.with_name(f".{path.name[:200]}.part")
    draft.unlink(missing_ok=True)  # of a writer that was killed
    with full_disk_is_transient(path):
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    draft.rename(path)
    sync_folder(path.parent)


def _sync_file(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def full_disk_is_transient(path: Path) -> Iterator[None]:
    """Turn 'no space left' and 'quota exceeded' into TransientError STORAGE_FULL."""
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        what = f"no space left to write below {path.parent}"
        raise TransientError(Problem(Code.STORAGE_FULL, what)) from error
