"""One claimed file through the tenant's app and the gate, into a spool."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

from mysimbdp.apps.limits import AppLimits
from mysimbdp.apps.registry import App
from mysimbdp.apps.runner import run_app
from mysimbdp.batchingestmanager.spool import Spooled, SpoolWriter
from mysimbdp.errors import Code, Problem, TerminalError, TransientError
from mysimbdp.landing.layout import Landing
from mysimbdp.landing.moving import full_disk_is_transient
from mysimbdp.landing.names import safe_label
from mysimbdp.ledger.record import FileRecord
from mysimbdp.quality.gate import Gate
from mysimbdp.settings import settings
from mysimbdp.tenants.model import Tenant


def run_and_gate(
    record: FileRecord, tenant: Tenant, app: App, *, maker: str, stop: threading.Event, log: logging.Logger
) -> Spooled:
    """Run the app over the private copy and gate its rows; blocks on pipes, so never on an event loop.

    Ends early once `stop` is set: whoever began this has lost the lease.

    Raises:
        TerminalError: STAGING_LOST, or what the app ended with.
        TransientError: CLAIM_LOST, STORAGE_FULL, or what the app ended with.
    """
    if record.table_name is None or record.file_format is None:
        raise AssertionError("a claimed file has a table and a format")
    landing = Landing(settings(), tenant.tenant)
    staged = landing.staged_file(record.ingest_id, record.name)
    label = safe_label(record.name)
    table = tenant.tables[record.table_name]
    gate = Gate(table, record.table_name, label)
    started = time.monotonic()
    if not staged.exists():
        raise TerminalError(Problem(Code.STAGING_LOST, f"{staged} is gone", label))
    folder: Path = landing.staging(record.ingest_id)
    with (
        full_disk_is_transient(folder / "rows"),
        SpoolWriter(folder, table) as spool,
        run_app(
            app,
            input_path=staged,
            file_name=record.name,
            file_format=record.file_format,
            tenant=record.tenant,
            table_name=record.table_name,
            table=table,
            limits=_limits(tenant),
            log=log,
        ) as run,
    ):
        for rows in run.batches():
            if stop.is_set():
                raise TransientError(Problem(Code.CLAIM_LOST, "the lease was lost while its app ran", label))
            admitted = gate.admit(rows)
            spool.add(admitted.rows, admitted.rejected)
            spool.reject(run.rejected_rows())
        spool.reject(run.rejected_rows())
        return spool.finish(maker, time.monotonic() - started)


def _limits(tenant: Tenant) -> AppLimits:
    batch = tenant.batch
    return AppLimits(
        timeout_seconds=batch.app_timeout_seconds,
        max_memory_bytes=batch.app_max_memory_mb * 1_000_000,
        max_output_bytes=int(batch.app_max_output_mb * 1_000_000),
    )
