"""Policy: what of a tenant's past goes, when, and in which order. One run removes a bounded part, the oldest first."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from mysimbdp.coredms.durability import life_of, until_durable
from mysimbdp.housekeeping.traces import Trace, remove, size_of, traces_in
from mysimbdp.landing.layout import Landing
from mysimbdp.ledger.identity import arrival_time
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.pruning import Kind
from mysimbdp.ledger.record import FileRecord, Ref
from mysimbdp.ledger.states import State
from mysimbdp.settings import Settings
from mysimbdp.tenants.model import Tenant

MOST_AT_ONCE = 10_000
"""Of one kind and tenant in one run; the next run goes on where this one stopped."""
CHUNK = 200
KEYS_SUFFIX = ".keys.parquet"


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed of one kind (with a dry run: would be); `more`: this run's bound was reached."""

    tenant: str
    kind: str
    days: int
    count: int = 0
    bytes: int = 0
    more: bool = False


class Retention:
    """Retention of one tenant, as of `moment` (UTC)."""

    def __init__(
        self, ledger: Ledger, settings: Settings, tenant: Tenant, moment: datetime, *, dry_run: bool = False
    ) -> None:
        self._ledger = ledger
        self._tenant = tenant
        self._moment = moment
        self._dry_run = dry_run
        self._landing = Landing(settings, tenant.tenant)

    async def prune(self) -> AsyncIterator[Pruned]:
        """Remove what is due: files first, the records that name them last. Repeatable after a kill at any point."""
        days = self._tenant.retention
        archived = await asyncio.to_thread(self._archived)
        yield await self._files("archive", days.archive_days, [one for one in archived if not _is_keys(one)])
        yield await self._files("rejected", days.rejected_days, await self._in(self._landing.rejected))
        yield await self._files("receipts", days.receipts_days, await self._in(self._landing.receipts))
        yield await self._records(days.ledger_days)
        yield await self._files("keys", days.ledger_days, [one for one in archived if _is_keys(one)])

    def _archived(self) -> list[Trace]:
        root = self._landing.archive_root
        return traces_in(root.iterdir() if root.exists() else [])

    async def _in(self, folder: Path) -> list[Trace]:
        return await asyncio.to_thread(traces_in, [folder])

    async def _files(self, kind: Kind, days: int, traces: list[Trace]) -> Pruned:
        before = self._moment - timedelta(days=days)
        count = size = 0
        due = self._due(kind, traces, before)
        while chunk := [found async for found in _first(due, min(CHUNK, MOST_AT_ONCE - count))]:
            if not self._dry_run:
                await self._note(kind, {one.ref for _, records in chunk for one in records if kind not in one.pruned})
            for trace, _ in chunk:
                size += (await asyncio.to_thread(size_of, trace.path))[1]
                if not self._dry_run:
                    await asyncio.to_thread(remove, trace.path)
            count += len(chunk)
        return Pruned(self._tenant.tenant, kind, days, count, size, more=count >= MOST_AT_ONCE)

    async def _note(self, kind: Kind, refs: Collection[Ref]) -> None:
        """Written down, and so that no crash takes it back, before anything is removed."""
        life = await life_of(self._ledger.session)
        for ref in refs:
            await self._ledger.pruning.note(ref, kind)
        if refs:
            await until_durable(self._ledger.session, life)

    async def _due(
        self, kind: Kind, traces: list[Trace], before: datetime
    ) -> AsyncIterator[tuple[Trace, list[FileRecord]]]:
        """Traces that are over, with the records that may miss them; also of files the ledger does not know."""
        for ingest, group in itertools.groupby(traces, key=lambda trace: trace.ingest_id):
            if arrival_time(ingest) >= before:
                return  # sorted by arrival, and no outcome comes before it
            ref = await self._ledger.arrivals.find(self._tenant.tenant, ingest)
            over: list[FileRecord] | None = []
            if ref is not None and (kind != "keys" or self._dry_run):
                over = await self._over(ref, before, shared=kind in {"archive", "keys"})
            elif ref is not None:
                over = None  # a purge needs the keys of a file's rows: they go after its record
            if over is not None:
                for trace in group:
                    yield trace, over

    async def _records(self, days: int) -> Pruned:
        before = self._moment - timedelta(days=days)
        count = 0
        async for ref in self._ledger.arrivals.oldest_first(self._tenant.tenant, until=before):
            if count >= MOST_AT_ONCE:
                break
            over = await self._over(ref, before, shared=True)
            if over is None:
                continue
            if not self._dry_run:
                await self._ledger.pruning.forget(next(one for one in over if one.ref == ref))
            count += 1
        return Pruned(self._tenant.tenant, "ledger", days, count, more=count >= MOST_AT_ONCE)

    async def _over(self, ref: Ref, before: datetime, *, shared: bool) -> list[FileRecord] | None:
        """The record of `ref`, first, if all with it is older than `before`; None while anybody may need it.

        `shared`: with it go the stored and live ingests of the same bytes, because a replay uses the archived file, and
        may give back the claim, of the ingest it repeats.
        """
        records = await self._ledger.pruning.content(ref)
        own = [record for record in records if record.ref == ref]
        if shared and own and own[0].state is State.COMMITTED:
            users = [one for one in records if one.state is State.COMMITTED or not one.state.is_final]
            own += [one for one in users if one.ref != ref]
        for record in own:
            if record.finished_at is None or record.finished_at >= before:
                return None
            if not await self._ledger.pruning.is_settled(record):
                return None
        return own or None


def _is_keys(trace: Trace) -> bool:
    return trace.path.name.endswith(KEYS_SUFFIX)


async def _first(
    due: AsyncIterator[tuple[Trace, list[FileRecord]]], count: int
) -> AsyncIterator[tuple[Trace, list[FileRecord]]]:
    while count > 0:
        try:
            yield await anext(due)
        except StopAsyncIteration:
            return
        count -= 1
