"""Out of the inbox: what was taken is removed, what was rejected moved aside, and nothing newer is touched.

The customer may put a new file under the old name at any moment, also between our look and our move. So an
entry is first renamed to a hidden name, looked at there, and given back if it is not the one that was meant.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mysimbdp.errors import Code, Problem, TransientError
from mysimbdp.landing.completeness import Kind, Seen, kind_of, seen
from mysimbdp.landing.copying import Step, no_step
from mysimbdp.landing.moving import move
from mysimbdp.landing.names import DONE_SUFFIX, safe_label

_HELD = ".taken-"


@dataclass(frozen=True, slots=True)
class MovedAside:
    """What became of a rejected entry: where it is kept, if it is, and where a link led (safe to print)."""

    kind: Kind
    path: Path | None
    target: str | None = None


def remove_taken(
    inbox_path: Path, taken: Seen, *, done_marker: bool = False, key: str = "", step: Step = no_step
) -> None:
    """Remove the file that was taken, and its done marker; leave alone what came or changed since.

    A file that changed since is a new one and will be taken on its own. Safe to call again. `key` (an ingest id)
    names what is held between its two steps, so that whoever finds it after a crash knows whose it is.

    Raises:
        TransientError: FILE_UNREADABLE when the inbox forbids it.
    """
    held = _hold(inbox_path, taken, key, step)
    if held is not None:
        held.unlink(missing_ok=True)  # another run may take the same file at the same time
    step("removed")
    if done_marker and not _present(inbox_path):
        with suppress(FileNotFoundError, OSError):  # OSError: a marker name too long never was there
            inbox_path.with_name(f"{inbox_path.name}{DONE_SUFFIX}").unlink()


def move_aside(
    inbox_path: Path, rejected_path: Path, rejected: Seen, *, key: str = "", step: Step = no_step
) -> MovedAside:
    """Move a rejected entry from the inbox to `rejected_path`; leave alone what came or changed since.

    Files and folders keep their content. Links, pipes, sockets and devices hold no data and could harm
    whoever opens them, so they are removed and only described; a link is never followed. Safe to call again.
    `key` as for `remove_taken`.

    Raises:
        TransientError: FILE_UNREADABLE when the inbox forbids it, STORAGE_FULL.
    """
    keeps = rejected.kind in {Kind.FILE, Kind.FOLDER}
    target = _link_text(_hidden(inbox_path, rejected, key), inbox_path) if rejected.kind is Kind.LINK else None
    held = _hold(inbox_path, rejected, key, step)
    if held is not None:
        dispose(held, rejected_path)
    step("moved")
    return MovedAside(rejected.kind, rejected_path if keeps and _present(rejected_path) else None, target)


def dispose(held: Path, rejected_path: Path) -> None:
    """Move a rejected file or folder to `rejected_path`; remove anything else."""
    try:
        if kind_of(held.lstat().st_mode) in {Kind.FILE, Kind.FOLDER}:
            move(held, rejected_path)
        else:
            held.unlink()
    except FileNotFoundError:
        return  # another run takes the same entry at the same time


def held_entries(inbox: Path) -> list[tuple[str, Path]]:
    """What is held in `inbox` at this moment, or was when somebody was killed: (key, path)."""
    with os.scandir(inbox) as entries:
        return [(entry.name.removeprefix(_HELD), inbox / entry.name) for entry in entries if _is_held(entry.name)]


def give_back(held: Path, inbox_path: Path) -> None:
    """Put what is held, and was not meant, back under its name; a still newer entry there wins.

    Raises:
        FileNotFoundError: another run has done so.
    """
    if kind_of(held.lstat().st_mode) is Kind.FOLDER:
        held.rename(inbox_path)
        return
    # If a still newer one is there: had we looked later, this one would have been overwritten unseen.
    with suppress(FileExistsError):
        os.link(held, inbox_path, follow_symlinks=False)
    held.unlink()


def _is_held(name: str) -> bool:
    return name.startswith(_HELD)


def _hidden(inbox_path: Path, entry: Seen, key: str) -> Path:
    # Dot files are not looked at by scans; the inode tells apart what is held at the same time.
    return inbox_path.with_name(f"{_HELD}{key or entry.inode}")


def _hold(inbox_path: Path, entry: Seen, key: str, step: Step) -> Path | None:
    """Rename `entry` to its hidden name and return that, or None when it is not there (any more)."""
    hidden = _hidden(inbox_path, entry, key)
    try:
        if not _present(hidden):
            if seen(entry.name, inbox_path.lstat()) != entry:
                return None
            inbox_path.rename(hidden)
            step("held")
        if _untouched(seen(entry.name, hidden.lstat()), entry):
            return hidden
        give_back(hidden, inbox_path)
    except FileNotFoundError:
        return None
    except OSError as error:
        what = f"it cannot be taken out of the inbox: {error.strerror}"
        raise TransientError(Problem(Code.FILE_UNREADABLE, what, safe_label(entry.name))) from error
    return None


def _untouched(found: Seen, entry: Seen) -> bool:
    # Not ctime, which our own rename has changed; and a folder's size and mtime tell nothing about its files.
    same = found.inode == entry.inode and found.kind is entry.kind
    return same and (found.kind is Kind.FOLDER or (found.size == entry.size and found.mtime_ns == entry.mtime_ns))


def _present(path: Path) -> bool:
    return os.path.lexists(path)


def _link_text(*places: Path) -> str | None:
    for place in places:
        with suppress(OSError):
            return safe_label(str(place.readlink()))
    return None
