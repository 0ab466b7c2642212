"""Runs one program to its end and says what it cost: seconds, CPU and memory of all its processes together."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.25
"""A look at all processes of a machine costs milliseconds: more often, and it would show in the figures."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run took. `peak_rss_bytes` is the largest sum over the family seen at one moment (shared pages count
    in each process); `cpu_seconds` is user and system time. `exit_code` is None when it was killed for its time."""

    exit_code: int | None
    seconds: float
    cpu_seconds: float
    peak_rss_bytes: int


def run(argv: Sequence[str], env: Mapping[str, str], folder: Path, *, limit_seconds: float) -> Cost:
    """Run `argv` in `folder`, its output in the files `stdout` and `stderr` there; nothing of it is left running."""
    folder.mkdir(parents=True, exist_ok=True)
    reaped_before = _reaped_cpu()
    sampled: dict[int, float] = {}
    peak = 0
    started = time.monotonic()
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        child = subprocess.Popen(
            argv, env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )
        try:
            while (code := _ended(child)) is None and time.monotonic() - started < limit_seconds:
                peak = max(peak, _sample(child.pid, sampled))
            seconds = time.monotonic() - started
        finally:
            _end(child)
    # A parent that does not wait for its children hides their CPU from the kernel's sum; the samples see it.
    cpu = max(_reaped_cpu() - reaped_before, sum(sampled.values()))
    return Cost(code, seconds, cpu, peak)


def _ended(child: subprocess.Popen[bytes]) -> int | None:
    try:
        return child.wait(SAMPLE_SECONDS)
    except subprocess.TimeoutExpired:
        return None


def _sample(pid: int, cpu_seconds: dict[int, float]) -> int:
    """Write each process's CPU time down; the family's resident bytes."""
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        head = psutil.Process(pid)
        for member in [head, *head.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                times = member.cpu_times()
                cpu_seconds[member.pid] = times.user + times.system
                total += member.memory_info().rss
    return total


def _end(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _reaped_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
