"""Policy: a file in an inbox is complete when two looks in a row saw the very same thing under a final name."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from mysimbdp.errors import Code, Problem
from mysimbdp.landing.names import DONE_SUFFIX, is_temporary

SETTLED_NS = 2_000_000_000
"""A folder's mtime is trusted once it is this old: clocks tick coarsely (4 ms here, 2 s on FAT), and a file
that comes in the same tick as our look would leave the mtime as we saw it."""


class Kind(StrEnum):
    """What a directory entry is."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "symbolic link"
    PIPE = "named pipe"
    SOCKET = "socket"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Seen:
    """One entry of an inbox at one look; equal when nothing about it has changed. Bytes and nanoseconds."""

    name: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    kind: Kind = Kind.FILE


class Waiting(StrEnum):
    """Why an entry is not complete; a word for status displays."""

    TEMPORARY_NAME = "its name says that it is not finished"
    STILL_CHANGING = "it was still changing a moment ago"
    NO_MARKER = f"its marker <name>{DONE_SUFFIX} is not there"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One look at an inbox. With a `problem` nothing could be seen, which is not the same as empty."""

    files: Mapping[str, Seen] = field(default_factory=dict)
    problem: Problem | None = None
    empty_since_ns: int | None = None
    """mtime of a folder that was empty and had not changed for a while: until it does, it is empty still."""


def kind_of(mode: int) -> Kind:
    """Return the kind of an entry from its st_mode."""
    if stat.S_ISREG(mode):
        return Kind.FILE
    if stat.S_ISDIR(mode):
        return Kind.FOLDER
    if stat.S_ISLNK(mode):
        return Kind.LINK
    if stat.S_ISFIFO(mode):
        return Kind.PIPE
    return Kind.SOCKET if stat.S_ISSOCK(mode) else Kind.DEVICE


def seen(name: str, found: os.stat_result) -> Seen:
    """Return what an lstat or fstat says about the entry `name`."""
    return Seen(name, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, kind_of(found.st_mode))


def scan(inbox: Path, previous: Snapshot | None = None) -> Snapshot:
    """Look at `inbox` once, following no links. Never raises for what is wrong with the folder.

    `previous` only saves time: a folder then known empty is not listed again while its own mtime stands
    still. A folder with files in it always is, since a file that grows leaves its folder untouched.
    """
    try:
        mtime_ns = inbox.stat().st_mtime_ns
        if previous is not None and previous.empty_since_ns == mtime_ns:
            return previous
        settled = time.time_ns() - mtime_ns > SETTLED_NS
        files: dict[str, Seen] = {}
        with os.scandir(inbox) as entries:
            for entry in entries:
                try:
                    files[entry.name] = seen(entry.name, entry.stat(follow_symlinks=False))
                except FileNotFoundError:
                    continue  # deleted or renamed between listing and looking: the next look tells
    except OSError as error:
        what = f"the inbox cannot be read: {error.strerror or error}"
        return Snapshot(problem=Problem(Code.LANDING_UNREADABLE, what, str(inbox)))
    return Snapshot(files, empty_since_ns=mtime_ns if settled and not files else None)


def complete_files(previous: Snapshot, current: Snapshot, *, done_marker: bool = False) -> list[Seen]:
    """Return what may be taken now, oldest first (then by name), so that no file waits behind later ones.

    Links, pipes and folders count too: they must be rejected, not left lying without a word.
    """
    complete = [entry for entry, why in _judged(previous, current, done_marker=done_marker) if why is None]
    return sorted(complete, key=lambda entry: (entry.mtime_ns, entry.name))


def waiting_files(previous: Snapshot, current: Snapshot, *, done_marker: bool = False) -> list[tuple[Seen, Waiting]]:
    """Return what may not be taken yet and why, by name; done markers are left out."""
    judged = _judged(previous, current, done_marker=done_marker)
    waiting = [(entry, why) for entry, why in judged if why and not entry.name.endswith(DONE_SUFFIX)]
    return sorted(waiting, key=lambda pair: pair[0].name)


def _judged(previous: Snapshot, current: Snapshot, *, done_marker: bool) -> list[tuple[Seen, Waiting | None]]:
    return [(entry, _why_not(entry, previous, current, done_marker=done_marker)) for entry in current.files.values()]


def _why_not(entry: Seen, previous: Snapshot, current: Snapshot, *, done_marker: bool) -> Waiting | None:
    if is_temporary(entry.name):
        return Waiting.TEMPORARY_NAME
    if previous.files.get(entry.name) != entry:
        return Waiting.STILL_CHANGING
    # Asked for data only: nobody marks a link or a folder as done, and it would lie here for ever.
    if done_marker and entry.kind is Kind.FILE and f"{entry.name}{DONE_SUFFIX}" not in current.files:
        return Waiting.NO_MARKER
    return None
