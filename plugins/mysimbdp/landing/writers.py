"""Is somebody still writing this file? The kernel knows, for writers on this machine (the SFTP server included).

A read lease (fcntl(2), F_SETLEASE) is granted only while no process has the file open for writing. So a writer
that pauses is told from one that is done, where two looks at size and time cannot. Where the kernel or the file
system has no leases, or the file is another user's and we are not root, the answer is no and the looks decide.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
from pathlib import Path

_HELD = frozenset({errno.EAGAIN, errno.EBUSY})


def has_writer(descriptor: int) -> bool:
    """True when a process has the file open for writing; `descriptor` is open for reading only."""
    try:
        # Between the next two calls somebody may open the file: the kernel then signals us, by default with one
        # that ends the process. This one is ignored unless asked for.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno in _HELD
    return False


def is_being_written(path: Path) -> bool:
    """The same for a path; False for what cannot be opened, which is for others to find out."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return has_writer(descriptor)
    finally:
        os.close(descriptor)
