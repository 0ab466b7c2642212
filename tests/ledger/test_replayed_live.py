"""The claim on bytes that are replayed or purged: one owner at any moment, whoever asks at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.scenarios.customers import in_ledger

from mysimbdp.errors import Code, TransientError
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.record import FileRecord
from mysimbdp.ledger.states import State

from .conftest import PROBLEM, drop

pytestmark = [pytest.mark.onebox, pytest.mark.usefixtures("reader")]


async def committed(ledger: Ledger, tenant: str) -> FileRecord:
    record = await ledger.files.claim(drop(tenant))
    await ledger.files.lease(record.ref, "one", 30)
    return await ledger.files.finish(await ledger.files.begin(record, "one"), State.COMMITTED, "one")


def replay_of(old: FileRecord) -> FileRecord:
    return replace(drop(old.tenant), replay_of=old.ingest_id)


async def ended(ledger: Ledger, record: FileRecord, state: State) -> FileRecord:
    await ledger.files.lease(record.ref, "two", 30)
    begun = await ledger.files.begin(record, "two")
    return await ledger.files.finish(replace(begun, problem=None if state == "committed" else PROBLEM), state, "two")


async def live(ledger: Ledger, record: FileRecord) -> object:
    found = await ledger.files.find(record.ref)
    assert found is not None
    return found.live_ingest


def test_of_many_replays_at_once_one_has_the_claim(tenant: str) -> None:
    async def work(ledger: Ledger) -> None:
        old = await committed(ledger, tenant)
        records = await asyncio.gather(*(ledger.files.claim(replay_of(old)) for _ in range(8)))
        (winner,) = [record for record in records if record.state is State.CLAIMED]
        assert winner.displaced == old.ingest_id
        assert (winner.write_timestamp or 0) > (old.write_timestamp or 0)
        losers = {record.duplicate_of for record in records if record is not winner}
        assert losers == {winner.ingest_id}
        assert await ledger.files.claim(winner) == winner, "claiming again gives what it has become"

    in_ledger(work)


def test_a_replay_whose_clock_is_behind_is_later_all_the_same(tenant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(ledger: Ledger) -> None:
        old = await committed(ledger, tenant)
        monkeypatch.setattr("mysimbdp.ledger.files.time.time_ns", lambda: 1_000_000)
        record = await ledger.files.claim(replay_of(old))
        assert record.write_timestamp == (old.write_timestamp or 0) + 1

    in_ledger(work)


@pytest.mark.parametrize("state", [State.REJECTED, State.FAILED])
def test_a_replay_that_is_not_committed_gives_the_claim_back(tenant: str, state: State) -> None:
    async def work(ledger: Ledger) -> None:
        old = await committed(ledger, tenant)
        await ended(ledger, await ledger.files.claim(replay_of(old)), state)
        assert await live(ledger, old) == old.ingest_id
        assert (await ledger.files.claim(replay_of(old))).state is State.CLAIMED

    in_ledger(work)


def test_what_is_being_purged_is_not_replayed_until_that_is_done(tenant: str) -> None:
    async def work(ledger: Ledger) -> None:
        old = await committed(ledger, tenant)
        assert await ledger.files.lease(old.ref, "purge", 30)
        with pytest.raises(TransientError) as refused:
            await ledger.files.claim(replay_of(old))
        assert refused.value.problem.code is Code.FILE_IN_USE
        assert (await ledger.files.claim(drop(tenant))).duplicate_of == old.ingest_id
        await ledger.purges.begin(old, 7)
        await ledger.purges.begin(old, 3)
        for _ in range(2):
            await ledger.purges.end(old, "purge")
        found = await ledger.files.find(old.ref)
        assert found is not None
        assert (found.live_ingest, found.holder, found.rows_purged) == (None, None, 7)
        assert found.purged_at is not None
        replay = await ledger.files.claim(replay_of(old))
        assert (replay.state, replay.displaced) == (State.CLAIMED, None)

    in_ledger(work)


def test_a_purge_that_has_lost_its_lease_does_not_free_the_bytes_of_the_replay(tenant: str) -> None:
    async def work(ledger: Ledger) -> None:
        old = await committed(ledger, tenant)
        await ledger.files.lease(old.ref, "purge", 30)
        await ledger.files.release(old.ref, "purge")  # as if it had expired
        replay = await ledger.files.claim(replay_of(old))
        with pytest.raises(TransientError, match="CLAIM_LOST"):
            await ledger.purges.end(old, "purge")
        assert await live(ledger, replay) == replay.ingest_id

    in_ledger(work)


def test_after_a_purge_the_bytes_are_anybodys(tenant: str) -> None:
    async def work(ledger: Ledger) -> None:
        old = await committed(ledger, tenant)
        await ledger.files.lease(old.ref, "purge", 30)
        await ledger.purges.end(old, "purge")
        new = await ledger.files.claim(drop(tenant))
        assert new.state is State.CLAIMED
        assert (await ledger.files.claim(replay_of(old))).duplicate_of == new.ingest_id

    in_ledger(work)
