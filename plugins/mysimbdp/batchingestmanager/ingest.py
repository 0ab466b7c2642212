"""One claimed file: app → gate → spool → verdict → load → durable → committed. The fenced verdict comes last."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mysimbdp.apps.registry import App, resolve_app
from mysimbdp.batchingestmanager.appstage import run_and_gate
from mysimbdp.batchingestmanager.attempts import APP_FAULTS, exhausted
from mysimbdp.batchingestmanager.changes import changed_since
from mysimbdp.batchingestmanager.checkpoints import segments
from mysimbdp.batchingestmanager.judge import judge
from mysimbdp.batchingestmanager.lease import kept_lease
from mysimbdp.batchingestmanager.spool import (
    Spooled,
    finished_spool,
    load_has_begun,
    mark_loading,
)
from mysimbdp.coredms.bulk.loader import BulkLoader
from mysimbdp.coredms.durability import Life, life_of, until_durable
from mysimbdp.coredms.faults import lacks_rights
from mysimbdp.coredms.keyfile import write_keys
from mysimbdp.coredms.loader import Loader
from mysimbdp.coredms.routes import bulk_target
from mysimbdp.coredms.schema import ensure_tenant, fingerprint
from mysimbdp.errors import Code, MysimbdpError, Problem, TerminalError, TransientError
from mysimbdp.landing.layout import Landing
from mysimbdp.landing.moving import full_disk_is_transient
from mysimbdp.landing.names import safe_label
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.record import FileRecord, Ref
from mysimbdp.ledger.states import State
from mysimbdp.settings import settings
from mysimbdp.tenants.model import Tenant
from mysimbdp.tenants.routing import route

FILES_UNDER_WAY = 8
"""Of a group: one is read and loaded, the others may wait for coredms to have their rows on disk."""


@dataclass(frozen=True, slots=True)
class Worker:
    """Who ingests: `holder` names this very process and try in the lease; `run_id` the Airflow run."""

    holder: str
    run_id: str
    log: logging.Logger


async def ingest_group(ledger: Ledger, tenant: Tenant, refs: Sequence[Ref], worker: Worker) -> list[FileRecord]:
    """Ingest each file of a group; one that fails never stops the next, not even by a fault of ours.

    Raises:
        TransientError: at the end, when some file waits for another try.
    """
    try:
        await ensure_tenant(ledger.session, tenant)
    except MysimbdpError as fault:
        for ref in refs:
            await _note_wait(ledger, ref, fault.problem)
        raise
    waiting: list[Exception] = []
    places, turn = asyncio.Semaphore(FILES_UNDER_WAY), asyncio.Lock()

    async def one(ref: Ref) -> FileRecord | None:
        async with places:
            try:
                return await ingest_file(ledger, tenant, ref, worker, turn)
            except TransientError as fault:
                worker.log.warning("%s waits for another try: %s", ref.ingest_id, fault)
                waiting.append(fault)
            except Exception as fault:  # raised again below, once the other files had their turn
                worker.log.exception("%s met a fault of the platform", ref.ingest_id)
                waiting.append(fault)
            return None

    records = await asyncio.gather(*map(one, refs))
    if waiting:
        raise waiting[-1]
    return [record for record in records if record is not None]


async def _note_wait(ledger: Ledger, ref: Ref, problem: Problem) -> None:
    """So that everybody can see why a file is pending."""
    record = await ledger.files.find(ref)
    if record is not None:
        await ledger.files.note(record, problem)


async def ingest_file(ledger: Ledger, tenant: Tenant, ref: Ref, worker: Worker, turn: asyncio.Lock) -> FileRecord:
    """Bring one claimed file to its verdict. Safe to repeat: a file with a verdict is returned as it is.

    `turn` is held while the app runs and rows are loaded.

    Raises:
        TransientError: no verdict yet; the reason is in the ledger.
    """
    record = await ledger.files.find(ref)
    if record is None:
        raise TransientError(Problem(Code.CLAIM_LOST, f"the ledger has no claim {ref.ingest_id}"))
    if record.state.is_final:
        return record
    async with kept_lease(ledger.files, ref, worker.holder, seconds=settings().lease_seconds) as held:
        if not held:
            worker.log.info("%s is being ingested by another run", safe_label(record.name))
            return record
        return await _Ingest(ledger, tenant, worker).run(replace(record, run_id=worker.run_id), turn)


class _Ingest:
    """The steps of one file, under its lease."""

    def __init__(self, ledger: Ledger, tenant: Tenant, worker: Worker) -> None:
        self._ledger = ledger
        self._tenant = tenant
        self._worker = worker
        self._landing = Landing(settings(), tenant.tenant)

    async def run(self, record: FileRecord, turn: asyncio.Lock) -> FileRecord:
        life = await life_of(self._ledger.session)
        async with turn:
            spent = exhausted(record, self._tenant.batch.max_attempts)
            if spent is not None:
                return await self._end(record, State.FAILED, spent)
            try:
                app = self._app(record)
            except TerminalError as fault:
                return await self._end(record, State.REJECTED, fault.problem)
            record = replace(record, app=app.name, app_version=app.version, app_digest=app.digest)
            record = replace(record, changed=await changed_since(self._ledger, self._tenant, record, app))
            record = await self._ledger.files.begin(record, self._worker.holder)
            record = await self._outcome(record, self._ingest(record, app, life))
        return record if record.state.is_final else await self._outcome(record, self._commit(record, life))

    async def _outcome(self, record: FileRecord, step: Awaitable[FileRecord]) -> FileRecord:
        """What a step makes of the file; a fault that no retry heals rejects it."""
        try:
            return await step
        except TerminalError as fault:
            return await self._end(record, State.REJECTED, fault.problem)
        except TransientError as fault:
            return await self._wait(record, fault)

    def _app(self, record: FileRecord) -> App:
        way = route(self._tenant, record.name)
        if way is None or record.table_name not in self._tenant.tables:
            what = "the tenant file has no route or table for it any more"
            raise TerminalError(Problem(Code.NO_TABLE_FOR_FILE, what, safe_label(record.name)))
        return resolve_app(self._tenant, way.app)

    async def _ingest(self, record: FileRecord, app: App, life: Life) -> FileRecord:
        folder = self._landing.staging(record.ingest_id)
        maker = f"{app.name} {app.digest} {fingerprint(self._tenant)}"
        spooled = await asyncio.to_thread(finished_spool, folder, maker)
        if spooled is None:
            record = replace(record, rows_written=0, bytes_written=0)  # a checkpoint is of the spool it was taken in
            stop = threading.Event()
            try:
                spooled = await asyncio.to_thread(
                    run_and_gate, record, self._tenant, app, maker=maker, stop=stop, log=self._worker.log
                )
            except FileNotFoundError as error:
                if folder.exists():
                    raise
                what = "its private folder is gone: another run has ended it"
                raise TransientError(Problem(Code.CLAIM_LOST, what, safe_label(record.name))) from error
            finally:
                stop.set()  # the lease was lost: the thread must not go on by itself
        record = replace(
            record,
            rows_read=spooled.rows_read,
            rows_rejected=spooled.rows_rejected,
            seconds={**record.seconds, "app": round(spooled.app_seconds, 6)},
        )
        problem = judge(
            safe_label(record.name),
            rows_read=record.rows_read,
            rows_rejected=record.rows_rejected,
            max_rejected_share=self._tenant.batch.max_rejected_share,
        )
        if problem is not None:
            return await self._end(record, State.REJECTED, problem)
        return await self._load(record, spooled, life)

    async def _load(self, record: FileRecord, spooled: Spooled, life: Life) -> FileRecord:
        started = time.monotonic()
        record = replace(record, rows_repeated=await asyncio.to_thread(self._keep_keys, record, spooled))
        await asyncio.to_thread(mark_loading, spooled.folder)
        try:
            record = await self._load_the_rest(record, spooled, life)
        except TerminalError as fault:
            if fault.problem.code is Code.SCHEMA_NOT_APPLIED or lacks_rights(fault):
                # Nothing is wrong with the file: it waits until the platform is put right.
                raise TransientError(fault.problem) from fault
            raise
        seconds = {**record.seconds, "load": round(time.monotonic() - started, 6)}
        return replace(record, seconds=seconds, problem=None)

    def _keep_keys(self, record: FileRecord, spooled: Spooled) -> int:
        """By its keys the file's rows are found again, whatever becomes of app and tenant file; returns repetitions."""
        table = self._tenant.tables[record.table_name or ""]
        rows = spooled.rows(columns=[*table.partition_key, *table.clustering_key, "_source"])
        with full_disk_is_transient(spooled.keys_path):
            return write_keys(spooled.keys_path, rows, table, record.sha256)

    async def _load_the_rest(self, record: FileRecord, spooled: Spooled, life: Life) -> FileRecord:
        """Load the rows after the last checkpoint; the last of them are made durable by `_commit`."""
        rows_left = spooled.rows_read - spooled.rows_rejected - record.rows_written
        destination = self._destination(record)
        target = await bulk_target(self._ledger.session, destination["table"], rows_left)
        if target is not None:
            bulk = BulkLoader(**destination, target=target)
            try:
                return await self._load_segments(bulk, record, spooled, life)
            except TransientError as fault:
                if fault.problem.code is not Code.BULK_FAILED:
                    raise
                self._worker.log.warning("%s: going on by CQL: %s", safe_label(record.name), fault)
        return await self._load_segments(self._loader(record), record, spooled, life)

    async def _load_segments(
        self, loader: Loader | BulkLoader, record: FileRecord, spooled: Spooled, life: Life
    ) -> FileRecord:
        good_rows = spooled.rows_read - spooled.rows_rejected
        for rows in segments(spooled.rows(skip=record.rows_written), settings().checkpoint_rows):
            result = await loader.load(rows)
            record = replace(
                record,
                rows_written=record.rows_written + result.rows,
                bytes_written=record.bytes_written + result.bytes,
            )
            if record.rows_written < good_rows:
                await until_durable(self._ledger.session, life)
                await self._ledger.files.checkpoint(record, self._worker.holder)
        return record

    async def _commit(self, record: FileRecord, life: Life) -> FileRecord:
        await until_durable(self._ledger.session, life)
        return await self._ledger.files.finish(record, State.COMMITTED, self._worker.holder)

    def _loader(self, record: FileRecord) -> Loader:
        return Loader(**self._destination(record))

    def _destination(self, record: FileRecord) -> dict[str, Any]:
        """What the loader of either route is made of."""
        if record.table_name is None or record.write_timestamp is None:
            raise AssertionError("a claimed file has a table and a timestamp")
        return {
            "session": self._ledger.session,
            "keyspace": self._tenant.keyspace,
            "table_name": record.table_name,
            "table": self._tenant.tables[record.table_name],
            "write_timestamp_us": record.write_timestamp,
            "ingest_id": record.ingest_id,
            "file_digest": record.sha256,
        }

    async def _end(self, record: FileRecord, state: State, problem: Problem) -> FileRecord:
        """No row of the file is in coredms: those of a load that had begun are taken back, all count as rejected."""
        folder = self._landing.staging(record.ingest_id)
        spooled = await asyncio.to_thread(finished_spool, folder)
        if spooled is not None:
            if load_has_begun(folder):
                await self._unload(record, spooled)
            record = replace(record, rows_read=spooled.rows_read)
        ended = replace(record, problem=problem, rows_written=0, rows_repeated=0, rows_rejected=record.rows_read)
        return await self._ledger.files.finish(ended, state, self._worker.holder)

    async def _unload(self, record: FileRecord, spooled: Spooled) -> None:
        """A file is not ended while rows of it may be in coredms: until they are taken back, it is pending."""
        if record.table_name not in self._tenant.tables:
            return  # with its table, the tenant's file gave up the rows
        try:
            rows = await self._loader(record).unload(spooled.rows())
            self._worker.log.info("%s: took back %s rows of the load", safe_label(record.name), rows)
        except MysimbdpError as fault:
            if fault.problem.code is Code.SCHEMA_NOT_APPLIED:
                return  # no table, no rows
            await self._ledger.files.note(record, fault.problem)
            raise TransientError(fault.problem) from fault

    async def _wait(self, record: FileRecord, fault: TransientError) -> FileRecord:
        """Write the reason down; the app's own faults count, the platform's do not."""
        if fault.problem.code in APP_FAULTS:
            record = replace(record, failures=record.failures + 1, problem=fault.problem)
            spent = exhausted(record, self._tenant.batch.max_attempts)
            if spent is not None:
                return await self._end(record, State.FAILED, spent)
        elif fault.problem.code is not Code.CLAIM_LOST:
            record = replace(record, attempts=max(record.attempts - 1, 0))
        if fault.problem.code is not Code.CLAIM_LOST:
            await self._ledger.files.note(record, fault.problem)
        raise fault
