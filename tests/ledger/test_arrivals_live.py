"""Everything ever received, by month, and what is not settled yet."""

from __future__ import annotations

import pytest
from tests.scenarios.customers import in_ledger

from mysimbdp.ledger.ledger import Ledger

from .conftest import drop

pytestmark = [pytest.mark.onebox, pytest.mark.usefixtures("reader")]


def test_arrivals_of_several_months_are_listed_newest_first(tenant: str) -> None:
    files = [drop(tenant, month=month) for month in (0, 0, 1, 2)]

    async def work(ledger: Ledger) -> None:
        for file in files:
            await ledger.arrivals.receive(file.ref, file.name, "run")
        assert await ledger.arrivals.months(tenant) == ["2027-01", "2026-12", "2026-11"]
        listed = [ref async for ref in ledger.arrivals.of(tenant)]
        assert len(listed) == 4
        assert listed[:2] == [files[3].ref, files[2].ref]
        assert tenant in await ledger.arrivals.tenants()
        assert [record.ref for record in await ledger.records(tenant, limit=1)] == [files[3].ref]
        assert {record.state for record in await ledger.records(tenant)} == {"received"}

    in_ledger(work)


def test_pending_until_it_is_settled_and_looked_after_by_whoever_adopts_it(tenant: str) -> None:
    file = drop(tenant)

    async def work(ledger: Ledger) -> None:
        assert await ledger.arrivals.find(tenant, file.ingest_id) is None
        await ledger.arrivals.receive(file.ref, file.name, "first")
        await ledger.arrivals.receive(file.ref, file.name, "first")
        assert await ledger.arrivals.find(tenant, file.ingest_id) == file.ref
        await ledger.arrivals.adopt(file.ref, "second")
        (pending,) = await ledger.arrivals.pending(tenant)
        assert (pending.ref, pending.name, pending.run_id) == (file.ref, file.name, "second")
        assert await ledger.arrivals.is_pending(file.ref)
        for _ in range(2):
            await ledger.arrivals.settle(file.ref)
        await ledger.arrivals.adopt(file.ref, "late")
        assert await ledger.arrivals.pending(tenant) == []
        assert not await ledger.arrivals.is_pending(file.ref)
        assert await ledger.arrivals.find(tenant, file.ingest_id) == file.ref, "it did arrive"

    in_ledger(work)
