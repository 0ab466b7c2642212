"""Retention under a clock of the test's own: what goes when, what never goes, and that the proof holds throughout."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.scenarios.customers import LOG, Customer, in_ledger

from mysimbdp.batchingestmanager.replay import replay
from mysimbdp.housekeeping import retention
from mysimbdp.housekeeping.retention import KEYS_SUFFIX, Pruned, Retention
from mysimbdp.ledger.files import now
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.record import FileRecord
from mysimbdp.ledger.statements import Statements
from mysimbdp.ledger.states import State
from mysimbdp.settings import settings

from .conftest import KEYED

pytestmark = pytest.mark.onebox

GOOD = "id,word\n1,one\n2,two\nx,bad\n"
BAD = "word\nno key\n"


def prune(customer: Customer, days: float, *, dry_run: bool = False) -> dict[str, Pruned]:
    """Retention as it would be in so many days, by kind."""

    async def work(ledger: Ledger) -> dict[str, Pruned]:
        moment = now() + timedelta(days=days)
        round_ = Retention(ledger, settings(), customer.tenant, moment, dry_run=dry_run)
        return {pruned.kind: pruned async for pruned in round_.prune()}

    return in_ledger(work)


def counts(pruned: dict[str, Pruned]) -> dict[str, int]:
    return {kind: one.count for kind, one in pruned.items() if one.count}


def files_in(customer: Customer) -> dict[str, int]:
    """How many files there are in the folders that retention looks at."""
    landing = customer.landing
    folders = {"receipts": landing.receipts, "rejected": landing.rejected}
    found = {kind: sum(path.is_file() for path in folder.rglob("*")) for kind, folder in folders.items()}
    archived = [path.name.endswith(KEYS_SUFFIX) for path in landing.archive_root.rglob("*") if path.is_file()]
    return {"archive": archived.count(False), "keys": archived.count(True), **found}


def by_name(customer: Customer) -> dict[str, FileRecord]:
    return {record.name: record for record in customer.records()}


@pytest.fixture
def settled(customer: Customer) -> Customer:
    """One file committed (with a rejected row), one rejected, one duplicate."""
    customer.run_one("good.csv", GOOD)
    customer.run_one("bad.csv", BAD)
    customer.run_one("again.csv", GOOD)
    assert files_in(customer) == {"archive": 1, "keys": 1, "receipts": 4, "rejected": 1}
    return customer


def test_each_kind_goes_when_its_days_are_over_and_the_claim_lives_as_long_as_the_ledger(settled: Customer) -> None:
    assert counts(prune(settled, 29)) == {}

    assert counts(prune(settled, 31)) == {"archive": 1, "rejected": 1}
    assert files_in(settled) == {"archive": 0, "keys": 1, "receipts": 4, "rejected": 0}
    assert by_name(settled)["good.csv"].as_dict()["archived"] == "pruned"
    settled.balanced()

    assert counts(prune(settled, 91)) == {"receipts": 4}
    assert files_in(settled)["receipts"] == 0
    settled.balanced()
    assert settled.run_one("within.csv", GOOD).state is State.DUPLICATE

    within = by_name(settled)["within.csv"]
    assert counts(prune(settled, 401)) == {"receipts": 1, "ledger": 4, "keys": 1}
    assert by_name(settled) == {}
    settled.balanced()
    assert settled.run_one("after.csv", GOOD).state is State.COMMITTED, f"after {within.finished_at} they are new"
    assert len(settled.rows()) == 2, "the rows outlive their record"
    settled.balanced()


def test_the_room_of_a_file_stays_reserved_when_its_record_goes(reader: Any) -> None:
    limits = {"max_nb_files": 2, "max_file_size": 1, "allowed_file_format": ["csv"]}
    customer = Customer.make(reader, tables=KEYED, constraints=limits)
    customer.run_one("one.csv", "id,word\n1,one\n")
    prune(customer, 401)
    assert in_ledger(lambda ledger: ledger.quotas.stored(customer.name)).files == 1
    assert customer.run_one("two.csv", "id,word\n2,two\n").state is State.COMMITTED
    third = customer.run_one("three.csv", "id,word\n3,three\n")
    assert (third.state, third.problem and third.problem.code) == (State.REJECTED, "QUOTA_FILES")
    customer.balanced()


def test_what_is_pending_stays_whatever_its_age(customer: Customer) -> None:
    customer.drop("pending.csv", GOOD)
    intake = in_ledger(lambda ledger: customer.validate(ledger, "run", customer.complete()))
    before = (customer.records(), customer.staged())
    assert counts(prune(customer, 10_000)) == {}
    assert (customer.records(), customer.staged()) == before

    async def end(ledger: Ledger) -> None:
        await customer.ingest(ledger, "run", intake)
        # a verdict without a receipt is pending too

    in_ledger(end)
    assert by_name(customer)["pending.csv"].state is State.COMMITTED
    assert counts(prune(customer, 10_000)) == {}
    in_ledger(lambda ledger: customer.record(ledger, intake))
    customer.at_rest()
    assert counts(prune(customer, 10_000)) == {"archive": 1, "receipts": 2, "ledger": 1, "keys": 1}


def test_one_run_removes_a_bounded_part_the_oldest_first(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        customer.run_one(f"{number}.csv", f"id,word\n{number},w\n")
    monkeypatch.setattr(retention, "MOST_AT_ONCE", 2)
    first = prune(customer, 401)
    assert {kind: (one.count, one.more) for kind, one in first.items() if one.count} == {
        "archive": (2, True), "receipts": (2, True), "ledger": (2, True), "keys": (2, True),
    }  # fmt: skip
    assert set(by_name(customer)) == {"2.csv"}
    assert files_in(customer) == {"archive": 1, "keys": 1, "receipts": 1, "rejected": 0}
    youngest = by_name(customer)["2.csv"]
    assert customer.landing.archived_file(youngest.ingest_id, "2.csv").exists()
    assert customer.landing.receipt_file(youngest.ingest_id, "2.csv").exists()
    assert {kind: one.more for kind, one in prune(customer, 401).items() if one.count} == dict.fromkeys(
        ("archive", "receipts", "ledger", "keys"), False
    )
    customer.at_rest()


def test_a_dry_run_counts_the_same_and_changes_nothing(settled: Customer) -> None:
    before = (files_in(settled), settled.records())
    planned = prune(settled, 401, dry_run=True)
    assert (files_in(settled), settled.records()) == before
    assert prune(settled, 401) == planned
    assert planned["archive"].bytes == len(GOOD)


def test_only_what_is_named_after_an_ingest_is_touched(settled: Customer) -> None:
    stranger = settled.landing.rejected / "notes of the customer.txt"
    notice = settled.landing.notice
    for path in (stranger, notice):
        path.touch()
    # The customer's own name may hold an id too: the last one counts.
    young = uuid.uuid1()
    named = settled.run_one(f"{young}.csv", BAD + "another\n")
    assert prune(settled, 31)["rejected"].count == 2
    assert stranger.exists()
    assert notice.exists()
    assert not settled.landing.rejected_file(named.ingest_id, named.name).exists()


def test_a_trace_without_a_record_goes_by_the_age_of_its_ingest(settled: Customer) -> None:
    old = settled.run_one("old.csv", "id,word\n9,nine\n")
    place = settled.landing.archived_file(old.ingest_id, old.name)
    in_ledger(lambda ledger: ledger.pruning.forget(old))
    assert prune(settled, 29)["archive"].count == 0
    assert place.exists()
    prune(settled, 31)
    assert not place.exists()


def test_a_replay_needs_the_archived_bytes_and_the_record_of_what_it_repeats(customer: Customer, reader: Any) -> None:
    old = customer.run_one("good.csv", GOOD)
    new = in_ledger(lambda ledger: replay(ledger, customer.tenant, old, LOG))
    key = (new.tenant, new.sha256, new.ingest_id)
    later = now() + timedelta(days=20)
    cql = "UPDATE mysimbdp.files SET finished_at = %s WHERE tenant = %s AND sha256 = %s AND ingest_id = %s"
    reader.execute(cql, (later, *key))
    assert prune(customer, 31)["archive"].count == 0
    assert customer.landing.archived_file(old.ingest_id, old.name).exists()
    assert prune(customer, 51)["archive"].count == 1
    assert {record.as_dict()["archived"] for record in customer.records()} == {"pruned"}
    customer.balanced()
    assert prune(customer, 401)["ledger"].count == 0
    assert prune(customer, 422)["ledger"].count == 2
    assert customer.records() == []
    customer.balanced()


class Killed(BaseException):
    """Stands for kill -9: nothing runs after it."""


def _deadly(run: Callable[..., Any], after: int) -> Callable[..., Any]:
    calls = itertools.count(1)

    async def deadly(self: Statements, cql: str, *values: Any) -> Any:
        result = await run(self, cql, *values)
        if not cql.startswith("SELECT") and next(calls) == after:
            raise Killed
        return result

    return deadly


def test_killed_after_any_write_it_balances_and_the_next_run_ends_it(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for after in itertools.count(1):  # each file's retention dies one write later than that of the one before
        content = f"id,word\n{after},w\n"
        customer.run_one(f"{after}.csv", content)
        with monkeypatch.context() as patch:
            patch.setattr(Statements, "run", _deadly(Statements.run, after))
            try:
                prune(customer, 401)
                break
            except Killed:
                pass
        assert in_ledger(lambda ledger: retention_audit(ledger, customer)) == [], f"after write {after}"
        prune(customer, 401)
        assert by_name(customer) == {}
        assert files_in(customer) == {"archive": 0, "keys": 0, "receipts": 0, "rejected": 0}
        assert in_ledger(lambda ledger: ledger.quotas.stored(customer.name)).files == after, "counted once"
    assert after == 7, "archive, receipts, mark, room, claim, record: then it was not killed any more"
    assert customer.run_one("again.csv", "id,word\n1,w\n").state is State.COMMITTED
    customer.balanced()


async def retention_audit(ledger: Ledger, customer: Customer) -> list[Any]:
    from mysimbdp.audit import audit_tenant  # noqa: PLC0415

    return (await audit_tenant(ledger, settings(), customer.name)).discrepancies
