"""The end of a file's way: archive or rejected/, receipt, log line; only then it is pending no more."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from mysimbdp.batchingestmanager.spool import finished_spool
from mysimbdp.coredms.durability import life_of, until_durable
from mysimbdp.errors import Code, Problem, TerminalError
from mysimbdp.landing.archive import archive
from mysimbdp.landing.layout import Landing
from mysimbdp.landing.moving import move
from mysimbdp.landing.names import safe_label
from mysimbdp.landing.receipts import App, Receipt, write_receipt
from mysimbdp.landing.server_log import log_ingested, log_problem
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.record import FileRecord, Ref, is_unread
from mysimbdp.ledger.states import State
from mysimbdp.settings import settings
from mysimbdp.tenants.names import keyspace_of

LOGGED = "logged"
"""In staging: the file's line in server.log is written."""


async def record_files(ledger: Ledger, refs: Sequence[Ref], log: logging.Logger) -> list[FileRecord]:
    """Write receipt and log line of each file that has its verdict; return what was settled now.

    Files without a verdict are named in the log and stay pending: the watcher rings for them again. A fault met with
    one file is raised once the others are settled.
    """
    life = await life_of(ledger.session)
    judged: list[FileRecord] = []
    for ref in refs:
        record = await ledger.files.find(ref)
        if record is None or not record.state.is_final:
            name = safe_label(record.name) if record else str(ref.ingest_id)
            reason = record.problem if record and record.problem else "no verdict yet"
            log.warning("%s is still pending: %s", name, reason)
        elif await ledger.arrivals.is_pending(ref):
            judged.append(record)
    if judged:
        await until_durable(ledger.session, life)  # the customer is not told what coredms may forget
    settled: list[FileRecord] = []
    fault: Exception | None = None
    for record in judged:
        try:
            settled.append(await settle(ledger, record, log))
        except Exception as error:  # raised again below
            log.exception("%s could not be settled", safe_label(record.name))
            fault = error
    if settled:
        await until_durable(ledger.session, life)
    for record in settled:  # if killed before: see mending.py
        staging = Landing(settings(), record.tenant).staging(record.ingest_id)
        await asyncio.to_thread(shutil.rmtree, staging, ignore_errors=True)
    if fault is not None:
        raise fault
    return settled


async def settle(ledger: Ledger, record: FileRecord, log: logging.Logger) -> FileRecord:
    """Bring one file with a verdict to rest, all but its private folder. Every step may be repeated after a crash.

    Only the log line could not be: a mark in staging says that it was written. Killed between line and mark, the
    repetition writes the line again, since a line too many is better than none; the ledger has the file once.
    """
    landing = Landing(settings(), record.tenant)
    landing.ensure()
    if record.state in {State.REJECTED, State.FAILED}:
        await ledger.quotas.free(record.tenant, record.ingest_id)
    elif record.displaced is not None:
        await ledger.quotas.pass_on(record.tenant, record.displaced, record.ingest_id)
    moved_to = await asyncio.to_thread(_clear_staging, landing, record)
    if record.state is State.COMMITTED and record.archived is None:
        record = replace(record, archived=moved_to)
        await ledger.files.archived(record.ref, moved_to or "")
    receipt = _receipt(record, moved_to if record.state is not State.COMMITTED else None)
    staging = landing.staging(record.ingest_id)
    spooled = await asyncio.to_thread(finished_spool, staging)
    rejected = spooled.rejected_path if spooled is not None and spooled.rows_rejected else None
    await asyncio.to_thread(write_receipt, landing, receipt, name=record.name, rejected_rows_path=rejected)
    if not (staging / LOGGED).exists():
        _log(record, log)
        staging.mkdir(mode=0o700, parents=True, exist_ok=True)
        (staging / LOGGED).touch()
    await ledger.arrivals.settle(record.ref)
    return record


def _clear_staging(landing: Landing, record: FileRecord) -> str | None:
    """Move the private copy to where it belongs; returns that place (archive: below it; rejected: the name)."""
    staged = landing.staged_file(record.ingest_id, record.name)
    if record.state is State.COMMITTED:
        target = landing.archived_file(record.ingest_id, record.name)
        if record.archived:  # before, or by the ingest that this one repeats
            target = settings().archive_dir / record.archived
        _archive_keys(landing, record)
        try:
            archive(staged, target, home=settings().home)
        except TerminalError as error:
            if error.problem.code is not Code.STAGING_LOST:
                raise
            return None  # its rows are in coredms: no reason to keep the receipt back for ever
        return str(target.relative_to(settings().archive_dir))
    if record.state is State.DUPLICATE:
        return None
    target = landing.rejected_file(record.ingest_id, record.name)
    try:
        move(staged, target)
    except FileNotFoundError:
        return target.name if target.exists() else None  # moved by an earlier try, or nothing to keep (a link)
    return target.name


def _archive_keys(landing: Landing, record: FileRecord) -> None:
    spooled = finished_spool(landing.staging(record.ingest_id))
    if spooled is not None:
        with suppress(TerminalError):  # gone: the audit names it, and the bytes are archived all the same
            archive(spooled.keys_path, landing.archived_keys(record.ingest_id), home=settings().home)


def _receipt(record: FileRecord, moved_to: str | None) -> Receipt:
    if record.received_at is None or record.finished_at is None:
        raise AssertionError("a file with a verdict has its times")
    receipt = Receipt(
        tenant=record.tenant,
        ingest_id=record.ingest_id,
        file=safe_label(record.name),
        sha256=None if is_unread(record.sha256) else record.sha256,
        bytes=record.size,
        outcome=str(record.state),
        duplicate_of=record.duplicate_of,
        replay_of=record.replay_of,
        changed=record.changed,
        table=f"{keyspace_of(record.tenant)}.{record.table_name}" if record.table_name else None,
        app=App(name=record.app, version=record.app_version) if record.app and record.app_version else None,
        rows_read=record.rows_read,
        rows_written=record.rows_written,
        rows_repeated=record.rows_repeated or 0,
        rows_rejected=record.rows_rejected,
        seconds=max(record.total_seconds, 0.0),
        seconds_per_stage=record.seconds,
        received_at=record.received_at,
        finished_at=record.finished_at,
        moved_to=moved_to,
    )
    problem = record.problem
    if record.state is State.DUPLICATE:
        what = f"the same bytes were received before, as ingest {record.duplicate_of}"
        problem = Problem(Code.FILE_DUPLICATE, what, safe_label(record.name))
    return receipt.with_problem(problem) if problem else receipt


def _log(record: FileRecord, log: logging.Logger) -> None:
    if record.state is State.COMMITTED:
        log.info(log_ingested(settings(), record.name, size_bytes=record.size, seconds=record.total_seconds))
    elif record.state is State.DUPLICATE:
        log.warning(log_problem(settings(), record.name, f"duplicate of ingest {record.duplicate_of}"))
    else:
        log.warning(log_problem(settings(), record.name, str(record.problem)))
