"""The way of a file without Airflow: the very same intake, ingest and record, in one process, for debugging."""

from __future__ import annotations

import logging
import os
import socket
import time
from pathlib import Path

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from mysimbdp.batchingestmanager.ingest import Worker, ingest_group
from mysimbdp.batchingestmanager.intake import Intaker, Source
from mysimbdp.batchingestmanager.record import record_files
from mysimbdp.errors import Code, Problem, TerminalError, TransientError
from mysimbdp.landing.completeness import seen
from mysimbdp.landing.names import safe_label
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.record import FileRecord
from mysimbdp.tenants.model import Tenant

TRIES = 4


async def ingest_directly(ledger: Ledger, tenant: Tenant, path: Path, log: logging.Logger) -> FileRecord:
    """Bring `path` to its verdict as if it had been dropped into the inbox; the file itself stays where it is.

    Raises:
        TerminalError: FILE_VANISHED, TENANT_DISABLED.
        TransientError: still no verdict after four tries; the file is pending and the watcher takes it over.
    """
    switch = await ledger.switches.find(tenant.tenant)
    if switch is not None:
        raise TerminalError(switch.problem)
    run_id = f"cli__{socket.gethostname()}__{os.getpid()}__{time.time_ns()}"
    try:
        look = seen(path.name, path.lstat())
    except OSError as error:
        raise TerminalError(Problem(Code.FILE_VANISHED, f"{error.strerror}", safe_label(str(path)))) from error
    # Each call is a drop of its own, also of the same file: its time is now, not the file's.
    source = Source(look, path, consume=False, dropped_ns=time.time_ns())
    intake = await Intaker(ledger, tenant, run_id, log).take_in([source])
    worker = Worker(f"{run_id}:ingest", run_id, log)
    try:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(TRIES),
            wait=wait_exponential(multiplier=1, max=10),
            reraise=True,
        ):
            with attempt:
                for group in intake.groups:
                    await ingest_group(ledger, tenant, group, worker)
    finally:
        await record_files(ledger, intake.refs, log)
    if not intake.refs:
        what = "it changed or vanished while it was being taken"
        raise TransientError(Problem(Code.FILE_STILL_GROWING, what, safe_label(path.name)))
    record = await ledger.files.find(intake.refs[0])
    if record is None:
        raise TransientError(Problem(Code.COREDMS_UNREACHABLE, "its record is not read back"))
    return record
