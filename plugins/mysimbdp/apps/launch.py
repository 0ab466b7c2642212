"""The app's parent process: starts it with its limits, and leaves nothing of it behind.

Run as `python -I -S launch.py CONTROL STATUS REPORT LIMITS -- PROGRAM ARGUMENT…` with numbers of open descriptors:
CONTROL ends (end of file) when the platform wants everything killed, or is itself dead; STATUS takes JSON lines; REPORT
becomes the app's descriptor 3. LIMITS is a JSON object of rlimits. Only the standard library, without site: its start
is part of every file's way.

As a child subreaper it inherits whatever the app leaves behind, in whatever session, and kills it. A program that kills
this process first escapes that (its direct child still dies): the sandbox's process namespace closes the gap.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import sys
import time

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 36, 38
REPORT_FD = 3
KILL_SECONDS = 20.0
_LIBC = ctypes.CDLL(None, use_errno=True)


def prctl(option: int, value: int) -> None:
    """Call prctl(2) or raise OSError."""
    if _LIBC.prctl(option, ctypes.c_ulong(value), 0, 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def start(argv: list[str], report: int, limits: dict[str, int]) -> tuple[int, str | None]:
    """Fork and exec the app; return its process id and, when it could not be started, why."""
    heard, told = os.pipe()  # closed by exec: only a failure is ever heard
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            become(argv, report, limits, told, parent)
        except BaseException as error:  # noqa: BLE001  # in a forked child: whatever it is, it must not run on
            os.write(told, str(error).encode()[:500] or b"unknown")
        os._exit(127)
    os.close(told)
    fault = os.read(heard, 500).decode("utf-8", "replace")
    os.close(heard)
    return pid, fault or None


def become(argv: list[str], report: int, limits: dict[str, int], told: int, parent: int) -> None:
    """Turn this process into the app."""
    os.setsid()
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(127)  # it died before the line above
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    if told == REPORT_FD:
        told = os.dup(told)
        os.set_inheritable(told, False)
    if report == REPORT_FD:
        os.set_inheritable(report, True)
    else:
        os.dup2(report, REPORT_FD)
    for name, value in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (limit, limit))
    os.closerange(REPORT_FD + 1, told)
    os.closerange(max(told, REPORT_FD) + 1, 1024)
    for number in (signal.SIGPIPE, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    os.execvp(argv[0], argv)  # noqa: S606  # no shell is what we want


def children() -> list[int]:
    """Return the process ids of this process's children."""
    try:
        with open("/proc/self/task/%d/children" % os.getpid()) as file:  # noqa: PTH123, UP031  # pathlib costs 5 ms
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return _children_by_stat()


def _children_by_stat() -> list[int]:
    mine = []
    for name in os.listdir("/proc"):  # noqa: PTH208  # as above
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:  # noqa: PTH123  # as above
                    parent = file.read().rpartition(")")[2].split()[1]
            except OSError:
                continue
            if int(parent) == os.getpid():
                mine.append(int(name))
    return mine


def kill_all(leader: int) -> bool:
    """Kill the app's session and every orphan handed to this process, until there is none; False if some survive."""
    until = time.monotonic() + KILL_SECONDS
    with contextlib.suppress(OSError):  # gone already
        os.killpg(leader, signal.SIGKILL)
    while time.monotonic() < until:
        for pid in children():
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return True
        time.sleep(0.002)
    return False


def main() -> int:
    """Start the app, wait for its end or the platform's word, kill what is left, tell how it ended."""
    control, status, report = (int(word) for word in sys.argv[1:4])
    limits, argv = json.loads(sys.argv[4]), sys.argv[6:]

    def tell(**fact: object) -> bool:
        try:
            os.write(status, json.dumps(fact).encode() + b"\n")
        except OSError:
            return False  # the platform is dead: nobody to tell
        return True

    for descriptor in (control, status, report):
        os.set_inheritable(descriptor, False)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    pid, fault = start(argv, report, limits)
    # Their ends must be seen by the platform as soon as the app has closed them.
    nothing = os.open("/dev/null", os.O_RDWR)
    for descriptor in (1, 2, report):
        os.dup2(nothing, descriptor)
    if fault:
        os.waitpid(pid, 0)
        tell(launch_error=fault)
        return 1
    tell(pid=pid)
    ending = os.pidfd_open(pid)
    ready, _, _ = select.select([control, ending], [], [])
    code = None
    if ending in ready:
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    gone = kill_all(pid)
    if not tell(exit=code, survivors=not gone):
        remove_folder()
    return 0


def remove_folder() -> None:
    """Remove the app's private folder, our working directory, where the platform can no longer do it."""
    import shutil  # noqa: PLC0415  # rarely needed, and it would double the time to start

    folder = os.getcwd()  # noqa: PTH109  # pathlib costs 5 ms
    if os.path.basename(folder).startswith("mysimbdp-app-"):  # noqa: PTH119  # as above
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    os._exit(main())
