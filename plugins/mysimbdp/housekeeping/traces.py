"""What lies in a tenant's folders, by the ingest it belongs to. Every trace's name holds its ingest id."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from mysimbdp.errors import Code, Problem, TransientError

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Trace:
    """One file (or rejected folder) that is left of an ingest."""

    ingest_id: UUID
    path: Path


def traces_in(folders: Iterable[Path]) -> list[Trace]:
    """The traces directly in `folders`, those of the oldest ingests first; what has no ingest id is not ours."""
    found = [Trace(ingest, Path(entry.path)) for folder in folders for entry, ingest in _entries(folder)]
    return sorted(found, key=lambda trace: (trace.ingest_id.time, trace.ingest_id))


def _entries(folder: Path) -> Iterator[tuple[os.DirEntry[str], UUID]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                # The last one: what the customer called the file comes before ours.
                ids = _ID.findall(entry.name)
                if ids:
                    yield entry, UUID(ids[-1])
    except FileNotFoundError:
        return


def size_of(path: Path) -> tuple[int, int]:
    """(files, bytes) at or below `path`; links count as themselves, and what vanishes meanwhile not at all."""
    try:
        if path.is_symlink() or not path.is_dir():
            return 1, path.lstat().st_size
        with os.scandir(path) as entries:
            inside = [size_of(Path(entry.path)) for entry in entries]
    except FileNotFoundError:
        return 0, 0
    return sum(files for files, _ in inside), sum(size for _, size in inside)


def remove(path: Path) -> None:
    """Remove a file, a link (never what it leads to) or a folder with all in it. Safe to repeat.

    Raises:
        TransientError: LANDING_UNREADABLE when the file system refuses.
    """
    try:
        if path.is_symlink() or not path.is_dir():
            path.unlink(missing_ok=True)
        else:
            shutil.rmtree(path)
    except FileNotFoundError:
        return  # somebody else removes it too
    except OSError as error:
        what = f"{path} cannot be removed: {error.strerror}"
        raise TransientError(Problem(Code.LANDING_UNREADABLE, what)) from error
