"""Runs an app over one file: rows come out as Arrow batches, everything else as an error or a rejected row."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from mysimbdp.apps.environment import app_environment
from mysimbdp.apps.limits import AppLimits
from mysimbdp.apps.output import OutputStream, decode_output
from mysimbdp.apps.process import AppProcess
from mysimbdp.apps.registry import App
from mysimbdp.apps.report import Report
from mysimbdp.apps.stderrlog import Log, StderrLog
from mysimbdp.apps.verdict import verdict
from mysimbdp.errors import Code, MysimbdpError, TerminalError
from mysimbdp.quality.rejects import RejectedRow
from mysimbdp.tenants.model import FileFormat, Table


class AppRun:
    """One run of an app. Go through `batches()` to its end: only then is the file's fate known."""

    def __init__(self, app: App, process: AppProcess, report: Report, stderr: StderrLog, limits: AppLimits) -> None:
        self._app = app
        self._process = process
        self._report = report
        self._stderr = stderr
        self._limits = limits

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the app's rows; memory is bounded by one batch.

        Columns are the app's field names, plus `_source` and `_line` (int64) where it gives them. What was yielded is
        to be thrown away when this raises.

        Raises:
            TerminalError: the app's own problem or APP_REJECTED (exit code 65), APP_BAD_OUTPUT, APP_OUTPUT_TOO_LARGE,
                APP_INVALID (it cannot be started).
            TransientError: APP_TRY_LATER (75), APP_CRASHED, APP_TIMED_OUT.
        """
        stream = OutputStream(self._process.read, self._limits.max_message_bytes)
        try:
            yield from decode_output(self._app.output, stream)
        except TerminalError as error:
            if error.problem.code is Code.APP_BAD_OUTPUT:
                # A crash explains garbage better than the garbage itself.
                self._settle(instead_of=error)
            raise
        self._settle(instead_of=None)

    def rejected_rows(self) -> Iterator[RejectedRow]:
        """Yield the rows the app has rejected since the last call; they wait on disk, not in memory."""
        return self._report.drain()

    @property
    def rows_reported(self) -> int:
        """How many rows the app has rejected so far."""
        return self._report.rows

    @property
    def garbage_reported(self) -> int:
        """How many lines on the report descriptor were no event."""
        return self._report.garbage

    @property
    def output_bytes(self) -> int:
        """Bytes of stdout so far."""
        return self._process.output_bytes

    def _settle(self, instead_of: MysimbdpError | None) -> None:
        self._process.finish()
        code = self._process.exit_code
        found = verdict(code if code is not None else 1, self._report.problem, self._stderr.last_words())
        if found:
            raise found from instead_of


@contextmanager
def run_app(
    app: App,
    *,
    tenant: str,
    input_path: Path,
    file_name: str,
    file_format: FileFormat,
    table_name: str,
    table: Table,
    limits: AppLimits,
    log: Log,
) -> Iterator[AppRun]:
    """Start `app` on the file `input_path`; on leaving, the app and all it has started are dead, its folder gone.

    `file_name` is the name the customer gave the file. The app's process has no credentials in its environment, no
    descriptors of ours, no new privileges and the given limits; it still shares our uid, file system and network: the
    sandbox that ends this is another room's.

    Raises:
        TerminalError: APP_INVALID, APP_NOT_FOUND; see `AppRun.batches` for the rest.
    """
    folder = Path(tempfile.mkdtemp(prefix="mysimbdp-app-"))
    report = Report()
    stderr = StderrLog(app.name, log, limits.max_log_bytes)
    try:
        process = AppProcess(
            [*app.argv, str(input_path.resolve())],
            environment=app_environment(
                tenant=tenant,
                file_name=file_name,
                file_format=file_format,
                table_name=table_name,
                table=table,
                folder=folder,
            ),
            folder=folder,
            limits=limits,
            report=report,
            stderr=stderr,
        )
        try:
            yield AppRun(app, process, report, stderr, limits)
        finally:
            process.close()
            if report.garbage:
                log.warning("[%s] %d lines on its report descriptor were no event", app.name, report.garbage)
    finally:
        report.close()
        _remove(folder)


def _remove(folder: Path) -> None:
    def unlock(function: object, path: str, _: object) -> None:
        """An app may have locked its own folder; it is ours."""
        os.chmod(Path(path).parent, 0o700)  # noqa: PTH101  # one call on the way of an error
        if callable(function):
            function(path)

    try:
        shutil.rmtree(folder, onerror=unlock)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
