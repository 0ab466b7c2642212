"""Into private staging: what is ingested is the platform's own copy, out of the customer's reach."""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path

from mysimbdp.errors import Code, Problem, TerminalError
from mysimbdp.landing.completeness import Kind, Seen
from mysimbdp.landing.copying import Step, Taken, copy_unchanged, no_step
from mysimbdp.landing.moving import sync_folder
from mysimbdp.landing.names import safe_label

__all__ = ["Taken", "take_copy"]


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
    staged_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Two runs may copy the same file at once (a ring and a hand-triggered run): each writes a draft of its own,
    # and whichever renames last replaces the copy by the same bytes.
    draft = staged_path.with_name(f"{staged_path.name}.{secrets.token_hex(8)}.part")
    try:
        taken = copy_unchanged(inbox_path, draft, expected, step=step)
    except TerminalError as error:
        if error.problem.code is Code.FILE_VANISHED and staged_path.exists():
            return _hash(staged_path)
        _forget(staged_path.parent)
        raise
    except BaseException:
        _forget(staged_path.parent)
        raise
    draft.rename(staged_path)
    step("renamed")
    sync_folder(staged_path.parent)
    return taken


def _forget(folder: Path) -> None:
    """Remove the folder again if there is nothing in it: no arrival will ever name it."""
    with suppress(OSError):
        folder.rmdir()


def _hash(path: Path) -> Taken:
    with path.open("rb") as stream:
        return Taken(hashlib.file_digest(stream, "sha256").hexdigest(), os.fstat(stream.fileno()).st_size)
