"""kill -9 right after each step, then the next run: each row once, one final state, one receipt.

Each point has a run of its own that is killed there, over one file; then runs follow until nothing is left to do, as
the watcher would ring for them. So every dead run's leftovers lie about while the others are mended.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from tests.scenarios.customers import Customer

from mysimbdp.errors import Code
from mysimbdp.landing.receipts import Receipt
from mysimbdp.ledger.record import FileRecord

from . import victim
from .conftest import recover

pytestmark = pytest.mark.onebox

ROWS = 300
VICTIMS_AT_ONCE = 3
_numbers = itertools.count(1)


def content_of(number: int) -> str:
    """A file of rows that no other has."""
    return "id,word\n" + "".join(f"{number * 1000 + row},w{number}\n" for row in range(ROWS))


def rows_of(customer: Customer, number: int) -> list[int]:
    return [row["id"] for row in customer.rows() if row["id"] // 1000 == number]


def the_record(customer: Customer, name: str) -> FileRecord:
    """The one record of the file."""
    (record,) = [record for record in customer.records() if record.name == name]
    return record


COMMITTED = {
    "after the copy": victim.AFTER_COPY,
    "after receive": victim.RECEIVED,
    "after the claim": victim.CLAIMED,
    "after reserve": victim.RESERVED,
    "while it is held in the inbox": victim.HELD,
    "after it left the inbox": victim.REMOVED,
    "after the lease": victim.LEASED,
    "after begin": victim.BEGUN,
    "while the app runs": victim.IN_THE_APP,
    "after the app": victim.SPOOLED,
    "before the first row": victim.BEFORE_THE_FIRST_ROW,
    "in the middle of the load": victim.IN_THE_LOAD,
    "after the load, before finish": victim.LOADED,
    "after finish, before record": victim.FINISHED,
    "after the archive": victim.ARCHIVED,
    "after the archive was noted": victim.ARCHIVE_NOTED,
    "after the receipt": victim.RECEIPT_WRITTEN,
    "after the log line": victim.LOGGED,
    "after it was settled": victim.SETTLED,
}

REFUSED_UNREAD = {
    "after receive": victim.RECEIVED,
    "after the verdict": victim.ENDED_UNCLAIMED,
    "while it is held in the inbox": victim.HELD,
    "after it was moved aside": victim.MOVED_ASIDE,
    "after its room was freed": victim.FREED,
    "after it was moved to rejected/": victim.MOVED,
    "after the receipt": victim.RECEIPT_WRITTEN,
    "after it was settled": victim.SETTLED,
}

REFUSED_BY_THE_GATE = {
    "after the claim": victim.CLAIMED,
    "after the verdict": victim.FINISHED,
    "after its room was freed": victim.FREED,
    "after it was moved to rejected/": victim.MOVED,
}

DUPLICATE = {
    "after the claim was refused": victim.CLAIMED,
    "after it left the inbox": victim.REMOVED,
    "after the receipt": victim.RECEIPT_WRITTEN,
}

FILES: dict[str, tuple[dict[str, victim.Point], Callable[[int], tuple[str, str]]]] = {
    "good": (COMMITTED, lambda number: ("csv", content_of(number))),
    "unread": (REFUSED_UNREAD, lambda number: ("exe", f"bytes of {number}")),
    "bad": (REFUSED_BY_THE_GATE, lambda number: ("csv", f"id,word\nx,{number}\n")),
    "duplicate": (DUPLICATE, lambda _: ("csv", content_of(0))),
}


@dataclass(frozen=True)
class After:
    """What there is of one file when all is over."""

    name: str
    content: str
    rows: int
    records: list[FileRecord]
    receipts: list[Receipt]
    log_lines: list[str]


@pytest.fixture(scope="module")
def survivors(customer: Customer) -> dict[tuple[str, str], After]:
    """One killed run for each kind of file and point, then recovery, once for all."""
    customer.run_one("original.csv", content_of(0))
    files: dict[tuple[str, str], tuple[int, str, str]] = {}
    with ThreadPoolExecutor(VICTIMS_AT_ONCE) as pool:
        deaths = []
        for kind, (points, make) in FILES.items():
            for place, point in points.items():
                number = next(_numbers)
                extension, content = make(number)
                name = f"{customer.name}-{number}.{extension}"
                files[kind, place] = number, name, content
                customer.drop(name, content)
                deaths.append(pool.submit(victim.die, customer, point, f"victim {number}", only=name))
        for death in deaths:
            death.result()
    recover(customer, seconds=60)
    landed = Counter(row["id"] // 1000 for row in customer.rows())
    records, receipts = customer.records(), customer.receipts()
    return {
        key: After(
            name,
            content,
            landed[number],
            [record for record in records if record.name == name],
            [receipt for receipt in receipts if receipt.file == name],
            customer.log_lines(name),
        )
        for key, (number, name, content) in files.items()
    }


Survivors = dict[tuple[str, str], After]


@pytest.mark.parametrize("point", COMMITTED)
def test_a_good_file_survives_kill_9(survivors: Survivors, point: str) -> None:
    after = survivors["good", point]
    (record,) = after.records
    assert (record.state, record.rows_read, record.rows_written) == ("committed", ROWS, ROWS)
    assert after.rows == ROWS
    assert [receipt.outcome for receipt in after.receipts] == ["committed"]
    # The one line that may be repeated: see record.settle.
    assert len(after.log_lines) == (2 if point == "after the log line" else 1)


@pytest.mark.parametrize("point", REFUSED_UNREAD)
def test_a_file_refused_unread_survives_kill_9(customer: Customer, survivors: Survivors, point: str) -> None:
    after = survivors["unread", point]
    (record,), (receipt,) = after.records, after.receipts
    assert record.state == "rejected"
    assert receipt.code is Code.FORMAT_NOT_ALLOWED
    assert receipt.moved_to
    assert (customer.landing.rejected / receipt.moved_to).read_text() == after.content
    assert len(after.log_lines) == 1


@pytest.mark.parametrize("point", REFUSED_BY_THE_GATE)
def test_a_file_without_good_rows_survives_kill_9(customer: Customer, survivors: Survivors, point: str) -> None:
    after = survivors["bad", point]
    (record,), (receipt,) = after.records, after.receipts
    assert record.state == "rejected"
    assert (receipt.code, receipt.rows_rejected) == (Code.TOO_MANY_REJECTED_ROWS, 1)
    assert receipt.moved_to
    assert (customer.landing.rejected / receipt.moved_to).read_text() == after.content


@pytest.mark.parametrize("point", DUPLICATE)
def test_a_duplicate_survives_kill_9(survivors: Survivors, point: str) -> None:
    after = survivors["duplicate", point]
    assert [record.state for record in after.records] == ["duplicate"]
    assert [receipt.code for receipt in after.receipts] == [Code.FILE_DUPLICATE]


def test_after_all_that_everything_balances(customer: Customer, survivors: Survivors) -> None:
    assert len(rows_of(customer, 0)) == ROWS
    assert len(customer.rows()) == (len(COMMITTED) + 1) * ROWS
    customer.at_rest()


@pytest.mark.parametrize("point", ["after receive", "after the claim"])
def test_a_file_that_was_received_goes_in_though_the_customer_takes_it_back(customer: Customer, point: str) -> None:
    number = next(_numbers)
    name = f"{customer.name}-{number}.csv"
    path = customer.drop(name, content_of(number))
    victim.die(customer, COMMITTED[point])
    path.unlink()
    recover(customer)
    assert the_record(customer, name).state == "committed"
    assert len(rows_of(customer, number)) == ROWS
    customer.at_rest()


def test_what_the_customer_writes_into_a_file_that_is_held_is_a_new_file(customer: Customer) -> None:
    number = next(_numbers)
    name = f"{customer.name}-{number}.csv"
    customer.drop(name, content_of(number))
    victim.die(customer, victim.HELD)
    (held,) = customer.inbox()
    with (customer.landing.inbox / held).open("a") as late:
        late.write(f"{number * 1000 + 999},late\n")
    recover(customer)
    assert [receipt.outcome for receipt in customer.receipts(name)] == ["committed", "committed"]
    assert len(rows_of(customer, number)) == ROWS + 1
    customer.at_rest()


def test_killed_again_and_again(customer: Customer) -> None:
    number = next(_numbers)
    name = f"{customer.name}-{number}.csv"
    customer.drop(name, content_of(number))
    for attempt, point in enumerate((victim.CLAIMED, victim.IN_THE_LOAD)):
        victim.die(customer, point, f"victim {attempt}")
    recover(customer)
    record = the_record(customer, name)
    assert (record.state, record.rows_written) == ("committed", ROWS)
    assert len(rows_of(customer, number)) == ROWS
    customer.at_rest()
