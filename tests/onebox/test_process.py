"""Services are started and stopped as whole families; every escape route of a child process is closed."""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from mysimbdp.errors import Code, TerminalError
from mysimbdp.onebox import health, process
from mysimbdp.onebox.process import Service

NAME = "sleeper"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    process.stop(None, tmp_path, patience=0)


def _service(home: Path, script: str, name: str = NAME) -> Service:
    return Service(name, (sys.executable, "-c", script), home / f"{name}.log")


def _until(true: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


SLEEP = "import time; time.sleep(600)"
CHILD = (
    "import subprocess, sys, time; "
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']{how}); time.sleep(600)"
)
FAMILIES = {
    "alone": (SLEEP, 1),
    "with a child": (CHILD.format(how=""), 2),
    "with a child in a process group of its own": (CHILD.format(how=", process_group=0"), 2),
    "with a child in a session of its own": (CHILD.format(how=", start_new_session=True"), 2),
    "with a child without the mark": (CHILD.format(how=", env={}"), 2),
    "with a child that has neither mark nor session": (CHILD.format(how=", env={}, start_new_session=True"), 2),
    "deaf to SIGTERM": (f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}", 1),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_stopping_leaves_nobody(family: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_KILL_AFTER_SECONDS", 0.3)
    script, size = FAMILIES[family]
    process.start(_service(home, script), home)
    _until(lambda: len(process.family(home)) == size)
    if family.startswith("deaf"):
        time.sleep(0.3)  # until it has covered its ears
    members = process.family(home, NAME)
    process.stop(NAME, home, patience=0.3)
    assert not [member for member in members if member.is_running() and member.status() != psutil.STATUS_ZOMBIE]
    assert process.running(NAME, home) is None


def test_an_orphan_whose_parent_died_is_found_by_its_mark(home: Path) -> None:
    parent = process.start(_service(home, CHILD.format(how=", start_new_session=True")), home)
    _until(lambda: len(process.family(home)) == 2)
    os.kill(parent.pid, signal.SIGKILL)
    _until(lambda: len(process.family(home)) == 1)
    process.stop(NAME, home, patience=1)
    assert process.family(home) == []


def test_a_service_is_known_by_what_was_recorded(home: Path) -> None:
    service = _service(home, SLEEP)
    started = process.start(service, home)
    assert process.running(NAME, home) == started
    assert started.fingerprint == service.fingerprint


def test_a_lost_record_does_not_lose_the_service(home: Path) -> None:
    started = process.start(_service(home, SLEEP), home)
    (home / "run" / f"{NAME}.json").unlink()
    found = process.running(NAME, home)
    assert found is not None
    assert found.pid == started.pid
    process.stop(NAME, home, patience=1)
    assert process.family(home) == []


@pytest.mark.parametrize("record", ["", "{", '{"pid": 1}', '{"pid": 1, "create_time": 0, "fingerprint": ""}'])
def test_a_half_written_or_stale_record_is_not_believed(home: Path, record: str) -> None:
    (home / "run").mkdir()
    (home / "run" / f"{NAME}.json").write_text(record)
    assert process.running(NAME, home) is None
    process.stop(NAME, home, patience=0)  # and pid 1 is still there


def test_only_the_service_named_is_stopped(home: Path) -> None:
    process.start(_service(home, SLEEP), home)
    other = process.start(_service(home, SLEEP, "other"), home)
    process.stop(NAME, home, patience=1)
    assert [member.pid for member in process.family(home)] == [other.pid]


def test_another_oneboxs_processes_are_left_alone(home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    neighbour = tmp_path_factory.mktemp("neighbour")
    started = process.start(_service(neighbour, SLEEP), neighbour)
    try:
        process.stop(None, home, patience=0)
        assert process.running(NAME, neighbour) == started
    finally:
        process.stop(None, neighbour, patience=1)


def test_whoever_stops_from_inside_a_service_survives_to_say_so(home: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from mysimbdp.onebox import process; "
        f"process.stop(None, Path({str(home)!r}), patience=0); print('still here')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, process.MARK: str(home)},
    )
    assert done.stdout == "still here\n"


def test_a_service_keeps_airflows_secrets_only_when_it_is_given_them(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_MYSIMBDP_COREDMS", "secret")
    started = process.start(_service(home, SLEEP), home)
    assert "AIRFLOW_CONN_MYSIMBDP_COREDMS" not in psutil.Process(started.pid).environ()


def test_a_long_log_is_set_aside_at_the_next_start(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "LOG_KEPT_BYTES", 10)
    service = _service(home, "print('new')")
    service.log.write_text("old and longer than ten bytes")
    process.start(service, home)
    _until(lambda: service.log.read_text() == "new\n")
    assert service.log.with_suffix(".log.1").read_text() == "old and longer than ten bytes"


def test_a_service_that_dies_early_shows_its_last_words(home: Path) -> None:
    service = _service(home, "raise SystemExit('no such luck')")
    process.start(service, home)
    heard: list[str] = []
    with pytest.raises(TerminalError) as caught:
        health.wait_until_well(
            NAME, lambda: "waiting for its port", home=home, log=service.log, seconds=20, tell=heard.append
        )
    assert caught.value.problem.code is Code.SERVICE_NOT_STARTED
    assert "its process ended" in caught.value.problem.what
    assert "no such luck" in caught.value.problem.what
    assert heard[0] == "waiting for its port"


def test_a_service_that_never_gets_well_says_what_it_was_waiting_for(home: Path) -> None:
    service = _service(home, SLEEP)
    process.start(service, home)
    with pytest.raises(TerminalError, match="waiting for its roles"):
        health.wait_until_well(
            NAME, lambda: "waiting for its roles", home=home, log=service.log, seconds=0.3, tell=lambda _reason: None
        )


def test_the_tail_of_a_log_is_its_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n" for number in range(100_000)))
    assert health.tail(log, 2) == "line 99998\nline 99999"
    assert health.tail(tmp_path / "missing") == ""


def test_a_dead_child_that_was_not_reaped_counts_as_gone(home: Path) -> None:
    started = process.start(_service(home, ""), home)
    _until(lambda: process.running(NAME, home) is None)
    with contextlib.suppress(psutil.NoSuchProcess):
        assert psutil.Process(started.pid).status() == psutil.STATUS_ZOMBIE


def test_a_process_lives_until_its_last_thread_has_ended() -> None:
    exit_of_one_thread = {"x86_64": 60, "aarch64": 93}[platform.machine()]
    script = (
        "import ctypes, threading, time\n"
        "threading.Thread(target=time.sleep, args=(30,)).start()\n"
        f"ctypes.CDLL(None).syscall({exit_of_one_thread}, 0)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script]) as child:
        found = psutil.Process(child.pid)
        deadline = time.monotonic() + 10
        while found.status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert process._lives(found)
        child.kill()
        child.wait(10)
    assert not process._lives(found)
