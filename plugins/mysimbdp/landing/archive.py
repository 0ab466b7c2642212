"""From staging to the archive: committed files are kept, by month, for replay."""

from __future__ import annotations

from pathlib import Path

from mysimbdp.errors import Code, Problem, TerminalError
from mysimbdp.landing.layout import private_folder
from mysimbdp.landing.moving import move


def archive(staged_path: Path, archived_path: Path, *, home: Path) -> Path:
    """Move the staged file to its place in the archive and return that. Safe to call again after a crash.

    Raises:
        TerminalError: STAGING_LOST when it is in neither place.
        TransientError: STORAGE_FULL.
    """
    private_folder(archived_path.parent, below=home)
    try:
        move(staged_path, archived_path)
    except FileNotFoundError as error:
        if not archived_path.exists():
            what = f"neither {staged_path} nor {archived_path} is there"
            raise TerminalError(Problem(Code.STAGING_LOST, what)) from error
    return archived_path
