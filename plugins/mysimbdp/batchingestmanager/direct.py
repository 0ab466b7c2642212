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
from mysimbdp.ledger.record import FileRecord, Ref
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
    run_id = new_run_id()
    try:
        look = seen(path.name, path.lstat())
    except OSError as error:
        raise TerminalError(Problem(Code.FILE_VANISHED, f"{error.strerror}", safe_label(str(path)))) from error
    # Each call is a drop of its own, also of the same file: its time is now, not the file's.
    source = Source(look, path, consume=False, dropped_ns=time.time_ns())
    intake = await Intaker(ledger, tenant, run_id, log).take_in([source])
    if not intake.refs:
        what = "it changed or vanished while it was being taken"
        raise TransientError(Problem(Code.FILE_STILL_GROWING, what, safe_label(path.name)))
    return await to_verdict(ledger, tenant, intake.refs[0], run_id, log)


def new_run_id() -> str:
    """Names a run without Airflow; no two are the same."""
    return f"cli__{socket.gethostname()}__{os.getpid()}__{time.time_ns()}"


async def to_verdict(ledger: Ledger, tenant: Tenant, ref: Ref, run_id: str, log: logging.Logger) -> FileRecord:
    """Ingest and record one file that was taken in.

    Raises:
        TransientError: as ingest_directly.
    """
    worker = Worker(f"{run_id}:ingest", run_id, log)
    try:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(TRIES),
            wait=wait_exponential(multiplier=1, max=10),
            reraise=True,
        ):
            with attempt:
                await ingest_group(ledger, tenant, [ref], worker)
    finally:
        await record_files(ledger, [ref], log)
    record = await ledger.files.find(ref)
    if record is None:
        raise TransientError(Problem(Code.COREDMS_UNREACHABLE, "its record is not read back"))
    return record
