"""Start and stop services as whole families of processes, so that none is ever left behind.

A family is found three ways, because each alone misses some: by session (task processes of Airflow leave the
process group, not the session), by a mark in the environment (survives lost run files and half-done starts),
and by descent (PostgreSQL's backends make sessions of their own and write over their environment).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

MARK = "MYSIMBDP_ONEBOX"
"""Environment variable every process of a onebox inherits; its value is the onebox's home folder."""
MARK_SERVICE = "MYSIMBDP_ONEBOX_SERVICE"

LOG_KEPT_BYTES = 20_000_000
_KILL_AFTER_SECONDS = 5.0
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True, slots=True)
class Service:
    """How to run one service. `argv` must hold no secret: every user of the machine can read it."""

    name: str
    argv: tuple[str, ...]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    cwd: Path = Path("/")
    user: pwd.struct_passwd | None = None

    @property
    def fingerprint(self) -> str:
        """Changes when the service would be started differently; does not give the secrets in it away."""
        facts = json.dumps([self.argv, sorted(self.env.items())])
        return hashlib.sha256(facts.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Running:
    """A service's main process as recorded when it was started. `create_time` is in seconds since 1970."""

    pid: int
    create_time: float
    fingerprint: str


def start(service: Service, home: Path) -> Running:
    """Start `service` in a session of its own, logging to its file; record it in `home`/run."""
    service.log.parent.mkdir(parents=True, exist_ok=True)
    if service.log.exists() and service.log.stat().st_size > LOG_KEPT_BYTES:
        service.log.replace(service.log.with_suffix(".log.1"))
    env = {**_inherited(), **service.env, MARK: str(home), MARK_SERVICE: service.name}
    with service.log.open("ab") as log:
        child = subprocess.Popen(
            service.argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=service.cwd,
            start_new_session=True,
            user=service.user.pw_uid if service.user else None,
            group=service.user.pw_gid if service.user else None,
            extra_groups=[] if service.user else None,
        )
    _children[child.pid] = child  # keeps it from being reported as forgotten, and lets us reap it
    with contextlib.suppress(psutil.NoSuchProcess):
        _until_marked(psutil.Process(child.pid), home, service.name)
        record = Running(child.pid, psutil.Process(child.pid).create_time(), service.fingerprint)
        path = _record_path(home, service.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps({"pid": record.pid, "create_time": record.create_time, "fingerprint": record.fingerprint})
        )
        return record
    return Running(child.pid, time.time(), service.fingerprint)


def running(name: str, home: Path) -> Running | None:
    """The live main process of service `name`, or None; the record is believed only if the mark agrees."""
    path = _record_path(home, name)
    with contextlib.suppress(FileNotFoundError, ValueError, KeyError, psutil.NoSuchProcess):
        facts = json.loads(path.read_text())
        record = Running(facts["pid"], facts["create_time"], facts["fingerprint"])
        if _is_marked(psutil.Process(record.pid), home, name):
            return record
    # The record was lost: the service is the session leader that no other process of the service started.
    found = {process.pid: process for process in marked(home, name)}
    for process in found.values():
        with contextlib.suppress(psutil.NoSuchProcess):
            if _session(process.pid) == process.pid and process.ppid() not in found:
                return Running(process.pid, process.create_time(), "")
    return None


def marked(home: Path, name: str | None = None) -> Iterator[psutil.Process]:
    """Live processes that carry the mark of the onebox in `home` (and of service `name`), never our own line."""
    own = _own_line()
    for process in psutil.process_iter():
        if process.pid not in own and _is_marked(process, home, name):
            yield process


def family(home: Path, name: str | None = None) -> list[psutil.Process]:
    """Every live process of service `name`, or of the whole onebox: marked, in a session of theirs, or descended."""
    own = _own_line()
    everyone = [process for process in psutil.process_iter() if process.pid not in own and _lives(process)]
    roots = {process.pid for process in everyone if _is_marked(process, home, name)}
    sessions = {pid: _session(pid) for pid in (process.pid for process in everyone)}
    led = {pid for pid in roots if sessions.get(pid) == pid}
    members = roots | {pid for pid, session in sessions.items() if session in led}
    parents = {}
    for process in everyone:
        with contextlib.suppress(psutil.NoSuchProcess):
            parents[process.pid] = process.ppid()
    while more := {pid for pid, parent in parents.items() if parent in members and pid not in members}:
        members |= more
    return [process for process in everyone if process.pid in members]


def stop(service_name: str | None, home: Path, *, how: signal.Signals = signal.SIGTERM, patience: float = 15.0) -> int:
    """End a service (None: whatever is left of the onebox) with all its processes; return how many were killed.

    First the main processes are asked, then after `patience` seconds the rest of the family, then all are killed.
    A family that grows meanwhile is followed: nothing is left when this returns.
    """
    known: dict[int, psutil.Process] = {}

    def alive() -> list[psutil.Process]:
        # Remember members from before: an orphan whose parent has gone is no longer found by descent.
        known.update({process.pid: process for process in family(home, service_name)})
        return [process for process in known.values() if _lives(process)]

    members = alive()
    leaders = [process for process in members if _session(process.pid) == process.pid and _is_marked(process, home)]
    _signal(leaders or members, how)
    _wait(alive, patience)
    _signal(alive(), signal.SIGTERM)
    _wait(alive, _KILL_AFTER_SECONDS)
    killed = 0
    while stubborn := alive():
        killed += len(stubborn)
        _signal(stubborn, signal.SIGKILL)
        _wait(alive, 1.0)
    if service_name is not None:
        _record_path(home, service_name).unlink(missing_ok=True)
    return killed


def _wait(alive: Callable[[], list[psutil.Process]], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while alive() and time.monotonic() < deadline:
        time.sleep(0.1)


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _until_marked(process: psutil.Process, home: Path, name: str) -> None:
    # For a moment after exec the kernel shows a new program with no environment: it would not be known as ours.
    deadline = time.monotonic() + 5
    while _lives(process) and not _is_marked(process, home, name) and time.monotonic() < deadline:
        time.sleep(0.005)


def _inherited() -> dict[str, str]:
    # Only Airflow needs to know Airflow's secrets, and it is told them by name.
    return {key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW_", "MYSIMBDP_"))}


def _record_path(home: Path, name: str) -> Path:
    return home / "run" / f"{name}.json"


def _lives(process: psutil.Process) -> bool:
    child = _children.get(process.pid)
    if child is not None:
        child.poll()  # reaps our own dead child
    try:
        # Killed, a process of many threads is a zombie at once, and holds its ports until the last of them has ended.
        return process.is_running() and (process.status() != psutil.STATUS_ZOMBIE or process.num_threads() > 1)
    except psutil.NoSuchProcess:
        return False


def _is_marked(process: psutil.Process, home: Path, name: str | None = None) -> bool:
    if not _lives(process):
        return False
    try:
        environment = process.environ()
    except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
        return False
    return environment.get(MARK) == str(home) and name in (None, environment.get(MARK_SERVICE))


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return -1


def _own_line() -> set[int]:
    """This process and its ancestors: `mysimbdp down` called from inside a service must not end itself."""
    return {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
