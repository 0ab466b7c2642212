"""The way to a landing that is a folder on this machine. Other ways (SFTP, object store) offer the same methods."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from mysimbdp.errors import Code, Problem, TerminalError, TransientError
from mysimbdp.landing.completeness import Seen
from mysimbdp.landing.copying import Taken, copy_unchanged
from mysimbdp.landing.moving import sync_folder
from mysimbdp.landing.names import DONE_SUFFIX, safe_label, shortened
from mysimbdp.landing.receipts import Receipt, read_receipt


class LandingFolder:
    """A tenant's landing folder with its inbox/ and receipts/."""

    def __init__(self, folder: Path) -> None:
        self._inbox = folder / "inbox"
        self._receipts = folder / "receipts"
        self._read: dict[str, Receipt] = {}

    @property
    def address(self) -> str:
        """Tells this landing from others, in the memory of what was sent."""
        return f"folder:{self._inbox.parent.resolve()}"

    def upload(self, source: Path, seen: Seen, *, done_marker: bool, on_bytes: Callable[[int], None]) -> Taken:
        """Copy a file into the inbox under a draft's name, then give it its own; the source is only read.

        `on_bytes` gets the size of each block copied.

        Raises:
            TerminalError: FILE_NAME_IN_USE, LANDING_UNREADABLE, FILE_VANISHED, FILE_UNREADABLE.
            TransientError: FILE_STILL_GROWING, STORAGE_FULL.
        """
        label = safe_label(seen.name)
        # Not `.<name>.part`: a name of 255 bytes has no room for more.
        draft = self._inbox / f".{shortened(seen.name)}.{os.getpid()}.part"
        try:
            taken = copy_unchanged(source, draft, seen, on_bytes=on_bytes)
            try:
                _rename_if_free(draft, self._inbox / seen.name, label)
            finally:
                draft.unlink(missing_ok=True)
            if done_marker:
                (self._inbox / f"{seen.name}{DONE_SUFFIX}").touch()
            sync_folder(self._inbox)
        except OSError as error:
            what = f"the inbox {self._inbox} cannot be written to: {error.strerror}"
            raise TerminalError(Problem(Code.LANDING_UNREADABLE, what, label)) from error
        return taken

    def receipts(self) -> dict[str, Receipt]:
        """Return every receipt there is by its name; each is read once."""
        try:
            names = os.listdir(self._receipts)  # noqa: PTH208  # names are all that is needed
        except OSError:
            return dict(self._read)
        for name in names:
            if name.endswith(".json") and not name.startswith(".") and name not in self._read:
                receipt = read_receipt(self._receipts / name)
                if receipt is not None:
                    self._read[name] = receipt
        return dict(self._read)


def _rename_if_free(draft: Path, target: Path, label: str) -> None:
    """Never over a file that still waits there: it would be lost."""
    try:
        os.link(draft, target)
    except FileExistsError as error:
        what = "the inbox still holds a file of this name"
        raise TransientError(Problem(Code.FILE_NAME_IN_USE, what, label)) from error
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.ENOTSUP, errno.EMLINK}:
            raise
        # No hard links on this file system: check, then rename; our lock keeps other fetchdatas away.
        if os.path.lexists(target):
            what = "the inbox still holds a file of this name"
            raise TransientError(Problem(Code.FILE_NAME_IN_USE, what, label)) from error
        draft.rename(target)
