"""What a tenant has stored: exact whoever asks at once, and however often."""

from __future__ import annotations

import asyncio

import pytest
from tests.scenarios.customers import in_ledger

from mysimbdp.errors import Code
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.quotas import Stored

from .conftest import drop

pytestmark = [pytest.mark.onebox, pytest.mark.usefixtures("reader")]


def test_nothing_is_stored_at_first(tenant: str) -> None:
    assert in_ledger(lambda ledger: ledger.quotas.stored(tenant)) == Stored(0, 0)


def test_reserving_and_freeing_again_change_nothing(tenant: str) -> None:
    ingest = drop(tenant).ingest_id

    async def work(ledger: Ledger) -> None:
        for _ in range(2):
            assert await ledger.quotas.reserve(tenant, ingest, 10, files=1, bytes_=10) is None
            assert await ledger.quotas.stored(tenant) == Stored(1, 10)
        for _ in range(2):
            await ledger.quotas.free(tenant, ingest)
            assert await ledger.quotas.stored(tenant) == Stored(0, 0)
        assert await ledger.quotas.reservations(tenant) == {}

    in_ledger(work)


def test_the_limits_are_reached_and_not_passed(tenant: str) -> None:
    async def work(ledger: Ledger) -> None:
        first, second = drop(tenant).ingest_id, drop(tenant).ingest_id
        assert await ledger.quotas.reserve(tenant, first, 10, files=2, bytes_=15) is None
        refused = await ledger.quotas.reserve(tenant, second, 6, files=2, bytes_=15)
        assert refused is not None
        assert refused.code is Code.QUOTA_BYTES
        assert await ledger.quotas.reserve(tenant, second, 5, files=2, bytes_=15) is None
        refused = await ledger.quotas.reserve(tenant, drop(tenant).ingest_id, 0, files=2, bytes_=15)
        assert refused is not None
        assert refused.code is Code.QUOTA_FILES

    in_ledger(work)


def test_many_at_once_come_out_exact(tenant: str) -> None:
    ingests = [drop(tenant).ingest_id for _ in range(20)]

    async def work(ledger: Ledger) -> None:
        # Each asks twice, as two runs would that take the same file.
        asked = [ledger.quotas.reserve(tenant, one, 3, files=7, bytes_=1000) for one in ingests for _ in range(2)]
        await asyncio.gather(*asked)
        held = await ledger.quotas.reservations(tenant)
        assert len(held) == 7
        assert await ledger.quotas.stored(tenant) == Stored(7, 21)
        await asyncio.gather(*(ledger.quotas.free(tenant, one) for one in held for _ in range(2)))
        assert await ledger.quotas.stored(tenant) == Stored(0, 0)

    in_ledger(work)


def test_room_that_is_passed_on_is_counted_once(tenant: str) -> None:
    async def work(ledger: Ledger) -> None:
        old, new = drop(tenant).ingest_id, drop(tenant).ingest_id
        await ledger.quotas.reserve(tenant, old, 10, files=1, bytes_=10)
        for _ in range(2):
            await ledger.quotas.pass_on(tenant, old, new)
            assert await ledger.quotas.reservations(tenant) == {new: 10}
            assert await ledger.quotas.stored(tenant) == Stored(1, 10)
        await ledger.quotas.free(tenant, new)
        await ledger.quotas.pass_on(tenant, old, new)
        assert await ledger.quotas.stored(tenant) == Stored(0, 0)

    in_ledger(work)
