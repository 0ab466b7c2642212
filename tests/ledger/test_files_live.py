"""Claims, leases and verdicts: every transition is one fenced write."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import replace
from typing import Any

import pytest
from tests.scenarios.customers import in_ledger

from mysimbdp.errors import Code, Problem, TransientError
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.record import FileRecord
from mysimbdp.ledger.statements import Statements
from mysimbdp.ledger.states import State

from .conftest import PROBLEM, drop, rejected

pytestmark = [pytest.mark.onebox, pytest.mark.usefixtures("reader")]


async def claimed(ledger: Ledger, tenant: str) -> FileRecord:
    return await ledger.files.claim(drop(tenant))


def test_what_is_claimed_is_read_back(tenant: str) -> None:
    wanted = drop(tenant)
    record = in_ledger(lambda ledger: ledger.files.claim(wanted))
    assert (record.state, record.live_ingest, record.holder) == (State.CLAIMED, wanted.ingest_id, None)
    assert record.claimed_at is not None
    assert record.write_timestamp is not None
    same = replace(
        wanted, state=State.CLAIMED, live_ingest=wanted.ingest_id, claimed_at=record.claimed_at,
        write_timestamp=record.write_timestamp,
    )  # fmt: skip
    assert record == same


@pytest.mark.parametrize("name", ["a.csv", "a\\xff.csv", os.fsdecode(b"\xff.csv"), "%FF.csv", "a b\n.csv", "é.csv"])
def test_every_name_comes_back_exactly(tenant: str, name: str) -> None:
    wanted = replace(drop(tenant), name=name)

    async def work(ledger: Ledger) -> None:
        await ledger.arrivals.receive(wanted.ref, name, "run")
        assert (await ledger.files.claim(wanted)).name == name
        assert [pending.name for pending in await ledger.arrivals.pending(tenant)] == [name]

    in_ledger(work)


def test_of_many_claims_on_the_same_bytes_one_is_won(tenant: str) -> None:
    wanted = [drop(tenant) for _ in range(12)]

    async def work(ledger: Ledger) -> list[FileRecord]:
        return list(await asyncio.gather(*(ledger.files.claim(one) for one in wanted)))

    records = in_ledger(work)
    (winner,) = [record for record in records if record.state is State.CLAIMED]
    losers = [record for record in records if record is not winner]
    assert {(record.state, record.duplicate_of) for record in losers} == {(State.DUPLICATE, winner.ingest_id)}


def test_claiming_again_gives_what_it_has_become(tenant: str) -> None:
    wanted = drop(tenant)

    async def work(ledger: Ledger) -> None:
        first = await ledger.files.claim(wanted)
        assert await ledger.files.claim(wanted) == first
        await ledger.files.lease(wanted.ref, "me", 30)
        await ledger.files.finish(replace(first, problem=PROBLEM), State.REJECTED, "me")
        assert (await ledger.files.claim(wanted)).state is State.REJECTED

    in_ledger(work)


def test_a_claim_that_comes_late_does_not_reopen_a_rejected_file(tenant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = drop(tenant)

    async def work(ledger: Ledger) -> None:
        first = await ledger.files.claim(wanted)
        await ledger.files.lease(wanted.ref, "me", 30)
        await ledger.files.finish(replace(first, problem=PROBLEM), State.REJECTED, "me")
        find = ledger.files.find

        async def nothing_the_first_time(ref: Any) -> FileRecord | None:
            monkeypatch.setattr(ledger.files, "find", find)
            return None  # as it was when this run looked

        monkeypatch.setattr(ledger.files, "find", nothing_the_first_time)
        assert (await ledger.files.claim(wanted)).state is State.REJECTED

    in_ledger(work)


def test_after_a_rejection_the_bytes_are_free(tenant: str) -> None:
    async def work(ledger: Ledger) -> None:
        first = await claimed(ledger, tenant)
        await ledger.files.lease(first.ref, "me", 30)
        await ledger.files.finish(replace(first, problem=PROBLEM), State.REJECTED, "me")
        assert (await claimed(ledger, tenant)).state is State.CLAIMED

    in_ledger(work)


def test_a_lease_has_one_holder(tenant: str) -> None:
    async def work(ledger: Ledger) -> None:
        record = await claimed(ledger, tenant)
        takers = [f"worker {number}" for number in range(8)]
        won = await asyncio.gather(*(ledger.files.lease(record.ref, taker, 30) for taker in takers))
        assert sum(won) == 1
        holder = takers[won.index(True)]
        assert await ledger.files.lease(record.ref, holder, 30, renew=True)
        assert await ledger.files.lease(record.ref, holder, 30), "asking again is no loss"
        await ledger.files.release(record.ref, "somebody else")
        assert not await ledger.files.lease(record.ref, "somebody else", 30)
        await ledger.files.release(record.ref, holder)
        assert await ledger.files.lease(record.ref, "somebody else", 30)

    in_ledger(work)


def test_a_lease_expires_by_itself_and_its_holder_is_fenced(tenant: str) -> None:
    async def work(ledger: Ledger) -> None:
        record = await claimed(ledger, tenant)
        assert await ledger.files.lease(record.ref, "slow", 2)
        slow = await ledger.files.begin(record, "slow")
        deadline = time.monotonic() + 10
        while not await ledger.files.lease(record.ref, "next", 30):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.2)
        for late in (ledger.files.finish(slow, State.COMMITTED, "slow"), ledger.files.begin(slow, "slow")):
            with pytest.raises(TransientError, match="CLAIM_LOST"):
                await late
        fresh = await ledger.files.begin(slow, "next")
        with pytest.raises(TransientError, match="CLAIM_LOST"):
            await ledger.files.begin(slow, "slow")
        assert fresh.attempts == 2
        done = await ledger.files.finish(replace(fresh, rows_read=1, rows_written=1), State.COMMITTED, "next")
        assert (done.state, done.holder, done.rows_written) == (State.COMMITTED, None, 1)

    in_ledger(work)


def test_a_committed_file_is_not_begun_again(tenant: str) -> None:
    async def work(ledger: Ledger) -> None:
        record = await claimed(ledger, tenant)
        await ledger.files.lease(record.ref, "one", 30)
        begun = await ledger.files.begin(record, "one")
        await ledger.files.finish(begun, State.COMMITTED, "one")
        # Another run looked at the record before that, and gets the lease after it.
        assert await ledger.files.lease(record.ref, "two", 30)
        with pytest.raises(TransientError, match="CLAIM_LOST"):
            await ledger.files.begin(begun, "two")
        with pytest.raises(TransientError, match="CLAIM_LOST"):
            await ledger.files.finish(replace(begun, problem=PROBLEM), State.FAILED, "two")
        found = await ledger.files.find(record.ref)
        assert found is not None
        assert found.state is State.COMMITTED

    in_ledger(work)


@pytest.mark.parametrize("state", [State.COMMITTED, State.REJECTED, State.FAILED])
def test_finishing_again_recognises_its_own_first_try(tenant: str, state: State) -> None:
    async def work(ledger: Ledger) -> None:
        record = await claimed(ledger, tenant)
        await ledger.files.lease(record.ref, "me", 30)
        begun = await ledger.files.begin(record, "me")
        first = await ledger.files.finish(begun, state, "me")
        assert await ledger.files.finish(begun, state, "me") == first
        assert first.holds_claim == (state is State.COMMITTED)

    in_ledger(work)


def test_a_request_whose_answer_is_lost_is_repeated(tenant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    once, lost = Statements._run_once, set[str]()

    async def lose_each_first_answer(self: Statements, cql: str, values: tuple[Any, ...]) -> Any:
        rows = await once(self, cql, values)
        if cql not in lost and not cql.startswith("SELECT"):
            lost.add(cql)
            raise TransientError(Problem(Code.COREDMS_OVERLOADED, "the answer is lost"))
        return rows

    monkeypatch.setattr(Statements, "_run_once", lose_each_first_answer)
    wanted, other = drop(tenant), drop(tenant, sha="cd")

    async def work(ledger: Ledger) -> None:
        await ledger.arrivals.receive(wanted.ref, wanted.name, "run")
        record = await ledger.files.claim(wanted)
        assert record.state is State.CLAIMED
        limits = {"files": 5, "bytes_": 1000}
        assert await ledger.quotas.reserve(tenant, wanted.ingest_id, 10, **limits) is None
        assert await ledger.files.lease(wanted.ref, "me", 30)
        assert await ledger.files.lease(wanted.ref, "me", 30, renew=True)
        begun = await ledger.files.begin(record, "me")
        assert begun.attempts == 1
        assert (await ledger.files.finish(begun, State.COMMITTED, "me")).state is State.COMMITTED
        assert (await ledger.files.end_unclaimed(rejected(other))).state is State.REJECTED
        assert (await ledger.quotas.stored(tenant)).files == 1
        await ledger.quotas.free(tenant, wanted.ingest_id)
        assert (await ledger.quotas.stored(tenant)).files == 0
        await ledger.arrivals.settle(wanted.ref)
        assert await ledger.arrivals.pending(tenant) == []

    in_ledger(work)
    assert len(lost) >= 8


def test_what_was_ended_unclaimed_stays_as_it_was(tenant: str) -> None:
    wanted = drop(tenant)

    async def work(ledger: Ledger) -> None:
        first = await ledger.files.end_unclaimed(rejected(wanted))
        assert (first.state, first.problem) == (State.REJECTED, PROBLEM)
        other = replace(wanted, state=State.DUPLICATE, problem=None, duplicate_of=wanted.ingest_id)
        assert await ledger.files.end_unclaimed(other) == first
        with pytest.raises(ValueError, match="received → committed"):
            await ledger.files.end_unclaimed(replace(wanted, state=State.COMMITTED))

    in_ledger(work)


def test_a_note_says_why_a_file_waits_and_changes_no_state(tenant: str) -> None:
    async def work(ledger: Ledger) -> None:
        record = await claimed(ledger, tenant)
        await ledger.files.note(replace(record, failures=1, attempts=2), PROBLEM)
        found = await ledger.files.find(record.ref)
        assert found is not None
        assert (found.state, found.problem, found.failures, found.attempts) == (State.CLAIMED, PROBLEM, 1, 2)
        await ledger.files.lease(record.ref, "me", 30)
        done = await ledger.files.finish(await ledger.files.begin(found, "me"), State.COMMITTED, "me")
        await ledger.files.note(done, PROBLEM)
        assert await ledger.files.find(record.ref) == done, "a verdict is noted by nobody else"

    in_ledger(work)
