"""kill -9 between the steps of a purge and of a replay, then the same once more, or the next run."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.scenarios.customers import Customer, in_ledger
from tests.scenarios.test_replay_and_purge import full_audit, purged, replayed, stored

from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.record import FileRecord

from . import victim
from .conftest import KEYED, recover
from .test_points import ROWS, VICTIMS_AT_ONCE, content_of, rows_of
from .victim import Point

pytestmark = pytest.mark.onebox

PURGE = {
    "after it was marked as begun": Point("mysimbdp.ledger.purges.Purges.begin"),
    "in the middle of the rows": Point("mysimbdp.coredms.owners.Owners.run", nth=2 * ROWS),
    "after the rows": Point("mysimbdp.coredms.loader.Loader.unload"),
    "after its room was freed": victim.FREED,
    "after it was marked as done": Point("mysimbdp.ledger.purges.Purges.end"),
    "after its receipt": Point("mysimbdp.batchingestmanager.purge.write_purge_receipt"),
}

REPLAY = {
    "after receive": victim.RECEIVED,
    "after the claim": victim.CLAIMED,
    "after begin": victim.BEGUN,
    "in the middle of the load": victim.IN_THE_LOAD,
    "after finish": victim.FINISHED,
    "after its room was passed on": Point("mysimbdp.ledger.quotas.Quotas.pass_on"),
    "after the archive": victim.ARCHIVED,
    "after the receipt": victim.RECEIPT_WRITTEN,
}
AFTER_THE_COPY = Point("mysimbdp.batchingestmanager.replay.take_copy")


def _purge(environment: dict[str, str], facts: dict[str, Any], point: Point, record: FileRecord) -> None:
    victim.wake(environment, facts)
    victim.arm(point)
    purged(record)


def _replay(environment: dict[str, str], facts: dict[str, Any], point: Point, record: FileRecord) -> None:
    customer = victim.wake(environment, facts)
    victim.arm(point)
    replayed(customer, record.name)


def die(customer: Customer, point: Point, doing: Callable[..., None], record: FileRecord) -> None:
    facts = customer.tenant.model_dump(by_alias=True)
    victim.be_dead(victim.spawn(doing, dict(os.environ), facts, point, record), point)


Files = dict[str, FileRecord]


def killed(customer: Customer, points: dict[str, Point], doing: Callable[..., None]) -> Files:
    """A committed file for each point, at which what is done with it then is killed."""
    for number in range(len(points)):
        customer.drop(f"{number}.csv", content_of(number))
    records = sorted(customer.run(), key=lambda record: int(record.name.removesuffix(".csv")))
    files = dict(zip(points, records, strict=True))
    with ThreadPoolExecutor(VICTIMS_AT_ONCE) as pool:
        for death in [pool.submit(die, customer, points[place], doing, files[place]) for place in points]:
            death.result()
    return files


def rows_left(customer: Customer, record: FileRecord) -> int:
    return len(rows_of(customer, int(record.name.removesuffix(".csv"))))


@pytest.fixture(scope="module")
def purges(customer: Customer) -> Files:
    """Killed, and purged once more when the dead one's lease was over."""
    files = killed(customer, PURGE, _purge)
    return {place: in_ledger(lambda ledger, one=one: _again(ledger, one)) for place, one in files.items()}  # type: ignore[misc]


async def _again(ledger: Ledger, record: FileRecord) -> FileRecord:
    while True:
        found = await ledger.files.find(record.ref)
        assert found is not None
        if not found.holder:
            return await asyncio.to_thread(purged, record)
        await asyncio.sleep(0.2)


@pytest.mark.parametrize("point", PURGE)
def test_a_purge_survives_kill_9(customer: Customer, purges: Files, point: str) -> None:
    record = purges[point]
    assert (record.rows_purged, record.live_ingest) == (ROWS, None)
    assert rows_left(customer, record) == 0
    assert customer.landing.purge_receipt_file(record.ingest_id, record.name).exists()


def test_after_all_purges_everything_balances(customer: Customer, purges: Files) -> None:
    assert stored(customer).files == 0
    assert full_audit(customer)[1] == []
    customer.at_rest()


@pytest.fixture(scope="module")
def replayer(reader: Any) -> Customer:
    return Customer.make(reader, tables=KEYED)


@pytest.fixture(scope="module")
def replays(replayer: Customer) -> Files:
    """Killed, and brought to an end by the runs that follow."""
    files = killed(replayer, REPLAY, _replay)
    recover(replayer, seconds=60)
    return files


@pytest.mark.parametrize("point", REPLAY)
def test_a_replay_survives_kill_9(replayer: Customer, replays: Files, point: str) -> None:
    old = replays[point]
    (new,) = [record for record in replayer.records() if record.replay_of == old.ingest_id]
    assert (new.state, new.displaced, new.rows_written) == ("committed", old.ingest_id, ROWS)
    assert new.holds_claim
    assert rows_left(replayer, old) == ROWS


def test_after_all_replays_everything_balances(replayer: Customer, replays: Files) -> None:
    assert stored(replayer).files == len(REPLAY)
    assert full_audit(replayer)[1] == []
    replayer.at_rest()


def test_a_replay_killed_before_it_was_received_has_not_happened(replayer: Customer, replays: Files) -> None:
    before = len(replayer.records())
    record = replays["after receive"]
    die(replayer, AFTER_THE_COPY, _replay, record)
    assert len(replayer.records()) == before
    assert replayed(replayer, record.name).state == "committed"
    replayer.balanced()
