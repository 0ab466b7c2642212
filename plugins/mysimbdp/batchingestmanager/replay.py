"""Ingests the archived bytes of a committed file once more: a new ingest, with a later timestamp.

The replay goes the way of any file, from its private copy on, so that a killed one is taken over like any other. It
takes the claim on the bytes from the ingest it repeats and gives it back when it is not committed; of two replays at
once one wins and the other is its duplicate. The room it needs is that ingest's own, unless that was purged.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from pathlib import Path

from mysimbdp.apps.registry import resolve_app
from mysimbdp.batchingestmanager.changes import differences
from mysimbdp.batchingestmanager.direct import new_run_id, to_verdict
from mysimbdp.batchingestmanager.intake import Intaker
from mysimbdp.coredms.durability import life_of, until_durable
from mysimbdp.errors import Code, MysimbdpError, Problem, TerminalError, TransientError
from mysimbdp.landing.completeness import seen
from mysimbdp.landing.layout import Landing
from mysimbdp.landing.names import safe_label
from mysimbdp.landing.staging import take_copy
from mysimbdp.ledger.arrivals import Pending
from mysimbdp.ledger.identity import ingest_id
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.record import FileRecord, Ref
from mysimbdp.settings import settings
from mysimbdp.tenants.model import Tenant
from mysimbdp.tenants.routing import route


def what_changed(tenant: Tenant, old: FileRecord) -> str | None:
    """What a replay of `old` would do otherwise than then; None: nothing.

    Raises:
        TerminalError: NO_TABLE_FOR_FILE, APP_NOT_FOUND, APP_INVALID.
    """
    way = route(tenant, old.name)
    if way is None or way.table != old.table_name:
        what = f"the tenant file no longer sends it to the table {old.table_name}"
        raise TerminalError(Problem(Code.NO_TABLE_FOR_FILE, what, safe_label(old.name)))
    return differences(tenant, old, resolve_app(tenant, way.app))


async def replay(ledger: Ledger, tenant: Tenant, old: FileRecord, log: logging.Logger) -> FileRecord:
    """Ingest the archived bytes of `old` again, here and now; returns the record of the new ingest.

    Raises:
        TerminalError: ARCHIVE_LOST; FILE_NOT_STORED, a purge of it was begun and not ended.
        TransientError: FILE_IN_USE; as ingest_directly. The replay is then pending, and the watcher takes it over.
    """
    if old.purge_begun_at is not None and old.purged_at is None:
        what = f"its purge was begun and not ended: `mysimbdp purge {old.ingest_id}` ends it"
        raise TerminalError(Problem(Code.FILE_NOT_STORED, what, safe_label(old.name)))
    run_id = new_run_id()
    ref = await asyncio.to_thread(_stage, old)
    life = await life_of(ledger.session)
    await ledger.arrivals.receive(ref, old.name, run_id, replay_of=old.ingest_id)
    pending = Pending(ref, old.name, run_id, old.ingest_id)
    record = await Intaker(ledger, tenant, run_id, log).resume(pending)
    if record is None:
        what = "its private copy is gone before it was claimed"
        raise TransientError(Problem(Code.STAGING_LOST, what, safe_label(old.name)))
    await until_durable(ledger.session, life)
    return await to_verdict(ledger, tenant, ref, run_id, log)


def _stage(old: FileRecord) -> Ref:
    """A private copy of the archived bytes, proved to be those of then, under a new ingest id."""
    label = safe_label(old.name)
    path = settings().archive_dir / (old.archived or "")
    if "archive" in old.pruned:
        raise _lost(label, "retention has removed the archived file")
    if not old.archived or not path.is_file():
        raise _lost(label, f"there is no {path}" if old.archived else "it was never archived")
    look = seen(path.name, path.lstat())
    ingest = ingest_id(old.tenant, old.name, inode=look.inode, ctime_ns=time.time_ns(), size=look.size)
    landing = Landing(settings(), old.tenant)
    landing.ensure()
    staged = landing.staged_file(ingest, old.name)
    try:
        taken = take_copy(path, staged, look, old.size)
    except MysimbdpError as fault:
        if fault.problem.code in {Code.FILE_VANISHED, Code.FILE_TOO_LARGE, Code.FILE_UNREADABLE}:
            raise _lost(label, fault.problem.what) from fault
        raise
    if taken.sha256 != old.sha256:
        _discard(staged)
        raise _lost(label, f"{path} has the sha256 {taken.sha256} instead of {old.sha256}")
    return replace(old, ingest_id=ingest).ref


def _discard(staged: Path) -> None:
    staged.unlink()
    staged.parent.rmdir()


def _lost(label: str, what: str) -> TerminalError:
    return TerminalError(Problem(Code.ARCHIVE_LOST, what, label))
