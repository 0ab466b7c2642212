"""From the inbox into the ledger: each complete file becomes claimed, duplicate or rejected, whatever happens.

The order of the steps makes a crash between any two of them harmless, because the ingest id is derived from
the directory entry: private copy → arrival written → claim (LWT) → quota → all of it durable → removed from the
inbox. Whoever sees the same entry again goes through the same steps and finds what was already done.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from mysimbdp.batchingestmanager.grouping import group_by_bytes
from mysimbdp.coredms.durability import life_of, until_durable
from mysimbdp.errors import Code, MysimbdpError, Problem, TransientError
from mysimbdp.formats.detection import check_format
from mysimbdp.formats.names import format_of
from mysimbdp.landing.completeness import Kind, Seen
from mysimbdp.landing.constraints import Usage, check_before_copy
from mysimbdp.landing.layout import Landing
from mysimbdp.landing.names import safe_label
from mysimbdp.landing.removal import move_aside, remove_taken
from mysimbdp.landing.staging import Taken, take_copy
from mysimbdp.ledger.arrivals import Pending
from mysimbdp.ledger.files import now
from mysimbdp.ledger.identity import arrival_time, ingest_id
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.record import FileRecord, Ref, is_unread, unread_digest
from mysimbdp.ledger.states import State
from mysimbdp.settings import settings
from mysimbdp.tenants.model import Tenant
from mysimbdp.tenants.routing import route

Result = TypeVar("Result")
FILES_AT_ONCE = 4
GONE_OR_GROWING = frozenset({Code.FILE_VANISHED, Code.FILE_STILL_GROWING})


@dataclass(frozen=True, slots=True)
class Source:
    """A file to take in: what was seen of it, where it lies, and whether it leaves that place when taken.

    `dropped_ns` overrides the file's ctime as the time of the drop, for a file that is not in an inbox.
    """

    seen: Seen
    path: Path
    consume: bool = True
    dropped_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Intake:
    """What the intake decided: groups to ingest, and every file the run has to record in the end."""

    groups: list[list[Ref]]
    refs: list[Ref]


@dataclass(frozen=True, slots=True)
class _Decided:
    """What the ledger says of a source now, so that it may leave the inbox; `ours`: this run looks after it."""

    source: Source
    record: FileRecord
    ours: bool = True


class Intaker:
    """Takes files of one tenant in, for one run."""

    def __init__(self, ledger: Ledger, tenant: Tenant, run_id: str, log: logging.Logger) -> None:
        self._ledger = ledger
        self._tenant = tenant
        self._run_id = run_id
        self._log = log
        self._landing = Landing(settings(), tenant.tenant)
        self._landing.ensure()

    async def take_in(self, sources: Iterable[Source], adopted: Sequence[FileRecord] = ()) -> Intake:
        """Take in `sources`, and go on with `adopted` (files an earlier run left behind).

        One bad file never stops another: what goes wrong with a single file is its own outcome, or is raised
        as the last act when only another try can tell.

        Raises:
            TransientError: a file met a passing fault of the platform; the others are done.
        """
        limit = asyncio.Semaphore(FILES_AT_ONCE)
        faults: list[Exception] = []

        async def guarded(source: Source, step: Awaitable[Result]) -> Result | None:
            try:
                return await step
            except TransientError as fault:
                self._log.warning("%s waits: %s", safe_label(source.seen.name), fault)
                if fault.problem.code not in GONE_OR_GROWING:
                    faults.append(fault)
            except Exception as fault:  # noqa: BLE001  # raised again below, once the other files had their turn
                self._log.exception("%s met a fault of the platform", safe_label(source.seen.name))
                faults.append(fault)
            return None

        async def one(source: Source) -> _Decided | None:
            async with limit:
                return await guarded(source, self._decide(source))

        life = await life_of(self._ledger.session)
        decided = [one for one in await asyncio.gather(*map(one, sources)) if one is not None]
        if decided:
            await until_durable(self._ledger.session, life)
        for item in decided:
            await guarded(item.source, self._leave(item))
        if faults:
            raise faults[0]
        records = {record.ref: record for record in [*adopted, *(item.record for item in decided if item.ours)]}
        to_ingest = [(ref, record.size) for ref, record in records.items() if not record.state.is_final]
        group_bytes = int(self._tenant.batch.group_mb * 1_000_000)
        return Intake(group_by_bytes(to_ingest, group_bytes=group_bytes), list(records))

    async def _decide(self, source: Source) -> _Decided | None:
        seen = source.seen
        ingest = ingest_id(
            self._tenant.tenant,
            seen.name,
            inode=seen.inode,
            ctime_ns=source.dropped_ns or seen.ctime_ns,
            size=seen.size,
        )
        known = await self._known(ingest)
        if known is not None:
            return await self._taken_before(source, known)
        started = time.monotonic()
        wanted = FileRecord(
            self._tenant.tenant, unread_digest(ingest), ingest, name=seen.name, size=seen.size,
            run_id=self._run_id, received_at=now(), file_format=format_of(seen.name),
        )  # fmt: skip
        problem = self._refusal(seen)
        if problem is None:
            try:
                taken = await self._copy(source, ingest)
            except MysimbdpError as fault:
                if isinstance(fault, TransientError):
                    raise
                if fault.problem.code is Code.FILE_VANISHED:
                    return await self._vanished(source, ingest)
                problem = fault.problem
        if problem is not None:
            await self._receive(wanted)
            return _Decided(source, await self._refuse(wanted, problem))
        wanted = replace(
            wanted, sha256=taken.sha256, size=taken.size, seconds={"copy": round(time.monotonic() - started, 6)}
        )
        await self._receive(wanted)
        return _Decided(source, await self._judge_copy(wanted))

    async def resume(self, pending: Pending) -> FileRecord | None:
        """Go on with a file that was received and not claimed, from its private copy; None: the copy is gone.

        The inbox need not have it any more; if it has, the next ring finds it claimed and removes it there.
        """
        staged = self._landing.staged_file(pending.ref.ingest_id, pending.name)
        try:
            size = staged.stat().st_size
        except FileNotFoundError:
            return None
        wanted = FileRecord(
            pending.ref.tenant, pending.ref.sha256, pending.ref.ingest_id, name=pending.name, size=size,
            run_id=self._run_id, received_at=arrival_time(pending.ref.ingest_id), file_format=format_of(pending.name),
            replay_of=pending.replay_of,
        )  # fmt: skip
        problem = check_before_copy(self._tenant, wanted.name, wanted.size, Usage())  # the tenant file may be another
        return await (self._refuse(wanted, problem) if problem else self._judge_copy(wanted))

    async def _known(self, ingest: UUID) -> FileRecord | None:
        """The record of a drop that was taken in before, up to where its run was killed or overtaken by this one."""
        ref = await self._ledger.arrivals.find(self._tenant.tenant, ingest)
        return await self._ledger.files.find(ref) if ref else None

    async def _taken_before(self, source: Source, record: FileRecord) -> _Decided:
        """Only what may not have been done yet: reserve, look after it, leave the inbox."""
        if record.state is State.CLAIMED:
            record = await self.reserve(record)
        self._log.info("%s was taken in before", safe_label(record.name))
        if record.holder and not record.state.is_final:
            return _Decided(source, record, ours=False)  # another run looks after it
        await self._ledger.arrivals.adopt(record.ref, self._run_id)
        return _Decided(source, record)

    async def _judge_copy(self, wanted: FileRecord) -> FileRecord:
        if wanted.file_format is None:
            raise AssertionError("a file without a format was refused above")
        staged = self._landing.staged_file(wanted.ingest_id, wanted.name)
        problem = await asyncio.to_thread(check_format, staged, wanted.file_format)
        if problem is not None:
            return await self._refuse(wanted, replace(problem, file=safe_label(wanted.name)))
        return await self._claim(wanted)

    async def _receive(self, wanted: FileRecord) -> None:
        # Not again: a run that has settled the same drop meanwhile would see it pending once more.
        if await self._ledger.arrivals.find(wanted.tenant, wanted.ingest_id) is None:
            await self._ledger.arrivals.receive(wanted.ref, wanted.name, self._run_id)

    def _refusal(self, seen: Seen) -> Problem | None:
        """Why the file is not even copied."""
        if seen.kind is not Kind.FILE:
            return Problem(Code.FILE_NOT_REGULAR, f"it is a {seen.kind}", safe_label(seen.name))
        return check_before_copy(self._tenant, seen.name, seen.size, Usage())

    async def _copy(self, source: Source, ingest: UUID) -> Taken:
        staged = self._landing.staged_file(ingest, source.seen.name)
        limit = self._tenant.constraints.max_bytes_per_file
        return await asyncio.to_thread(take_copy, source.path, staged, source.seen, limit)

    async def _vanished(self, source: Source, ingest: UUID) -> _Decided | None:
        """Deleted before it was claimed: the customer took it back, or another run took it in."""
        known = await self._known(ingest)
        if known is not None:
            return await self._taken_before(source, known)
        self._log.info("%s is gone from the inbox", safe_label(source.seen.name))
        return None

    async def _refuse(self, wanted: FileRecord, problem: Problem) -> FileRecord:
        return await self._ledger.files.end_unclaimed(replace(wanted, state=State.REJECTED, problem=problem))

    async def _claim(self, wanted: FileRecord) -> FileRecord:
        way = route(self._tenant, wanted.name)
        if way is None:
            raise AssertionError("a file without a route was refused above")
        record = await self._ledger.files.claim(replace(wanted, table_name=way.table, app=way.app or "builtin"))
        return await self.reserve(record) if record.state is State.CLAIMED else record

    async def reserve(self, record: FileRecord) -> FileRecord:
        """Reserve the claimed file's room; without room it is rejected and its claim given back.

        A replay of what is stored gets the room of the ingest it repeats, once it is committed.
        """
        if record.displaced is not None:
            return record
        limits = self._tenant.constraints
        problem = await self._ledger.quotas.reserve(
            record.tenant, record.ingest_id, record.size,
            files=limits.max_nb_files, bytes_=limits.max_stored_bytes,
        )  # fmt: skip
        if problem is None:
            return record
        holder = f"intake:{self._run_id}"
        if not await self._ledger.files.lease(record.ref, holder, settings().lease_seconds):
            return record  # another run looks after it, and meets the same quota
        return await self._ledger.files.finish(replace(record, problem=problem), State.REJECTED, holder)

    async def _leave(self, item: _Decided) -> None:
        """Out of the inbox: the private copy is the file now; what was not read is moved aside instead."""
        source, record = item.source, item.record
        self._log.info("%s: %s", safe_label(source.seen.name), record.state)
        if not source.consume:
            return
        key = str(record.ingest_id)
        if is_unread(record.sha256):
            # Into staging, from where `record` moves it on; straight into rejected/ when its receipt is written.
            is_pending = await self._ledger.arrivals.is_pending(record.ref)
            place = (self._landing.staged_file if is_pending else self._landing.rejected_file)(
                record.ingest_id, source.seen.name
            )
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            await asyncio.to_thread(move_aside, source.path, place, source.seen, key=key)
        else:
            marker = self._tenant.source.done_marker
            await asyncio.to_thread(remove_taken, source.path, source.seen, done_marker=marker, key=key)
