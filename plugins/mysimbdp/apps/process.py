"""A running app: one loop serves its stdout, stderr, report and supervisor, so none of them can block another."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mysimbdp.apps.limits import AppLimits
from mysimbdp.apps.report import Report
from mysimbdp.apps.stderrlog import StderrLog
from mysimbdp.errors import Code, Problem, TerminalError, TransientError

_LAUNCHER = Path(__file__).with_name("launch.py")
_CHUNK = 2**20
_GRACE_SECONDS = 25.0
"""How long the supervisor gets to kill everything; more than its own limit."""


class AppProcess:
    """Starts the app under its supervisor; `read` gives its stdout, `finish` its end, `close` kills what is left."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        limits: AppLimits,
        report: Report,
        stderr: StderrLog,
    ) -> None:
        self.output_bytes = 0
        """Bytes of stdout so far."""
        self.exit_code: int | None = None
        """As in subprocess: negative for a signal; None while it runs or when nobody knows."""
        self._limits = limits
        self._report = report
        self._stderr = stderr
        self._waited = 0.0
        self._status = b""
        self._facts: dict[str, Any] = {}
        self._start(argv, environment, folder)

    def _start(self, argv: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        limits = {
            "AS": self._limits.max_memory_bytes,
            "NOFILE": self._limits.max_open_files,
            "FSIZE": self._limits.max_output_bytes,
            "CORE": 0,
        }
        control, self._control = os.pipe()
        self._status_fd, status = os.pipe()
        self._report_fd, report = os.pipe()
        words = [sys.executable, "-I", "-S", str(_LAUNCHER), *map(str, (control, status, report)), json.dumps(limits)]
        try:
            self._supervisor = subprocess.Popen(
                [*words, "--", *argv],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environment),
                cwd=folder,
                pass_fds=(control, status, report),
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            for end in (self._control, self._status_fd, self._report_fd):
                os.close(end)
            problem = Problem(Code.APP_CRASHED, f"the app's supervisor cannot be started: {error.strerror}")
            raise TransientError(problem) from error
        finally:
            for end in (control, status, report):
                os.close(end)
        self._stdout_fd = self._supervisor.stdout.fileno()  # type: ignore[union-attr]  # PIPE makes it
        self._stderr_fd = self._supervisor.stderr.fileno()  # type: ignore[union-attr]  # as above
        self._open = {self._stdout_fd, self._stderr_fd, self._report_fd, self._status_fd}
        self._poll = select.poll()
        for end in self._open:
            self._poll.register(end, select.POLLIN)

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes of stdout as soon as there are some; b"" at its end.

        Raises:
            TransientError: APP_TIMED_OUT.
            TerminalError: APP_OUTPUT_TOO_LARGE.
        """
        while self._stdout_fd in self._open:
            if self._stdout_fd in self._pump(without=()):
                data = os.read(self._stdout_fd, min(size, _CHUNK))
                if data:
                    self.output_bytes += len(data)
                    self._check_size("stdout", self.output_bytes, self._limits.max_output_bytes)
                    return data
                self._closed(self._stdout_fd)
        return b""

    def finish(self) -> None:
        """Wait for the end of the app, after the end of its stdout; the rest of stdout, if any, is thrown away.

        Raises:
            TransientError: APP_TIMED_OUT, or APP_CRASHED when it could not be supervised.
            TerminalError: APP_INVALID when it could not be started, APP_OUTPUT_TOO_LARGE.
        """
        while self.read(_CHUNK):
            pass
        while self._open:
            self._pump(without=(self._stdout_fd,))
        self._report.end()
        self._stderr.end()
        if "launch_error" in self._facts:
            what = f"the app cannot be started: {self._facts['launch_error']}"
            raise TerminalError(Problem(Code.APP_INVALID, what))
        self.exit_code = self._facts.get("exit")
        if self.exit_code is None:
            problem = Problem(Code.APP_CRASHED, "the app's supervisor was killed, perhaps by the app or for memory")
            raise TransientError(problem)

    def close(self) -> None:
        """Kill whatever of the app is still there and give everything back."""
        with contextlib.suppress(OSError):
            os.close(self._control)
        until = time.monotonic() + _GRACE_SECONDS
        for end in tuple(self._open - {self._status_fd}):
            self._closed(end)
        # The supervisor's last word, or its death, says that nothing is left.
        while self._status_fd in self._open and time.monotonic() < until:
            for end, _ in self._poll.poll(1000):
                self._serve(end)
        try:
            self._supervisor.wait(timeout=max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            self._supervisor.wait()
        if "pid" in self._facts and "exit" not in self._facts:
            # Without its supervisor the app's own session is all that can be named.
            with contextlib.suppress(OSError):
                os.killpg(self._facts["pid"], signal.SIGKILL)
        for end in tuple(self._open):
            self._closed(end)

    def _pump(self, without: tuple[int, ...]) -> set[int]:
        """Wait until something is said; take in all but stdout; return the descriptors that are ready."""
        left = self._limits.timeout_seconds - self._waited
        begun = time.monotonic()
        events = self._poll.poll(max(0.0, left) * 1000)
        self._waited += time.monotonic() - begun
        if not events:
            what = f"the app was not done after {self._limits.timeout_seconds:g} s"
            raise TransientError(Problem(Code.APP_TIMED_OUT, what))
        ready = {end for end, _ in events}
        for end in ready - {self._stdout_fd, *without}:
            self._serve(end)
        return ready

    def _serve(self, end: int) -> None:
        data = os.read(end, 65536)
        if not data:
            self._closed(end)
        elif end == self._stderr_fd:
            self._stderr.feed(data)
        elif end == self._report_fd:
            self._report.feed(data)
            self._check_size("its report", self._report.bytes, self._limits.max_report_bytes)
        elif end == self._status_fd:
            *lines, self._status = (self._status + data).split(b"\n")
            for line in lines:
                self._facts.update(json.loads(line))

    def _check_size(self, what: str, size: int, limit: int) -> None:
        if size > limit:
            text = f"the app has written more than {limit} bytes to {what}"
            raise TerminalError(Problem(Code.APP_OUTPUT_TOO_LARGE, text))

    def _closed(self, end: int) -> None:
        self._open.discard(end)
        self._poll.unregister(end)
        if end == self._stdout_fd:
            self._supervisor.stdout.close()  # type: ignore[union-attr]  # PIPE made it
        elif end == self._stderr_fd:
            self._supervisor.stderr.close()  # type: ignore[union-attr]  # as above
        else:
            os.close(end)
