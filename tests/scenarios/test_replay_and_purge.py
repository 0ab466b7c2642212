"""A file taken away again, and one ingested anew: what is in the table, the ledger and the folders then."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

import pytest

from mysimbdp.audit import audit_tenant
from mysimbdp.audit.tables import Holding
from mysimbdp.batchingestmanager.purge import purge
from mysimbdp.batchingestmanager.purge_plan import plan_purge
from mysimbdp.batchingestmanager.replay import replay, what_changed
from mysimbdp.errors import Code, MysimbdpError
from mysimbdp.ledger.finding import find_stored, replayable
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.quotas import Stored
from mysimbdp.ledger.record import FileRecord
from mysimbdp.settings import settings

from .customers import EVENTS, Customer, in_ledger

pytestmark = pytest.mark.onebox

LOG = logging.getLogger("mysimbdp.test")
KEYED = {"events": {**EVENTS, "partition_key": ["id"]}}
TAGGED = {"events": {"columns": {"id": "bigint", "word": "text"}, "partition_key": ["id"], "lineage": False}}


def content(ids: Iterable[int], word: str) -> str:
    return "id,word\n" + "".join(f"{number},{word}\n" for number in ids)


def purged(record: FileRecord) -> FileRecord:
    """`mysimbdp purge`, by ingest id."""

    async def work(ledger: Ledger) -> FileRecord:
        (found,) = await find_stored(ledger, record.tenant, str(record.ingest_id))
        return await purge(ledger, await plan_purge(ledger, found), LOG)

    return in_ledger(work)


def replayed(customer: Customer, wanted: str) -> FileRecord:
    """`mysimbdp ledger replay`."""

    async def work(ledger: Ledger) -> FileRecord:
        old = replayable(await find_stored(ledger, customer.name, wanted))
        return await replay(ledger, customer.tenant, old, LOG)

    return in_ledger(work)


def now(record: FileRecord) -> FileRecord:
    found = in_ledger(lambda ledger: ledger.files.find(record.ref))
    assert found is not None
    return found


def words(customer: Customer) -> dict[int, str]:
    return {row["id"]: row["word"] for row in customer.rows()}


def stored(customer: Customer) -> Stored:
    return in_ledger(lambda ledger: ledger.quotas.stored(customer.name))


def full_audit(customer: Customer) -> tuple[dict[str, Holding], list[str]]:
    """What the tables hold of each ingest, and what is wrong."""
    found = in_ledger(lambda ledger: audit_tenant(ledger, settings(), customer.name, full=True))
    return {one.ingest_id: one for one in found.holdings}, [
        f"{item.check}: {item.what}" for item in found.discrepancies
    ]


@pytest.mark.parametrize("tables", [KEYED, TAGGED, {"events": EVENTS}], ids=["natural key", "no lineage", "file's key"])
def test_a_purged_file_is_gone_and_its_bytes_are_taken_again(reader: Any, tables: dict[str, Any]) -> None:
    customer = Customer.make(reader, tables=tables)
    text = content(range(50), "first")
    first = customer.run_one("a.csv", text)
    done = purged(first)
    assert (done.state, done.rows_purged, done.live_ingest) == ("committed", 50, None)
    assert done.purged_at is not None
    assert words(customer) == {}
    assert stored(customer) == Stored(0, 0)
    receipt = customer.landing.purge_receipt_file(first.ingest_id, "a.csv")
    assert '"rows_purged": 50' in receipt.read_text()
    assert customer.receipt(first).outcome == "committed"
    before = receipt.read_bytes()
    assert purged(first) == done, "again: nothing more"
    assert receipt.read_bytes() == before
    customer.at_rest()
    second = customer.run_one("a.csv", text)
    assert second.state == "committed"
    assert len(words(customer)) == 50
    assert stored(customer) == Stored(1, len(text))
    assert full_audit(customer)[1] == []
    customer.at_rest()


def test_a_replay_is_a_later_ingest_of_the_same_bytes_and_no_duplicate(reader: Any) -> None:
    customer = Customer.make(reader, tables=KEYED)
    text = content(range(30), "x")
    first = customer.run_one("a.csv", text)
    second = replayed(customer, "a.csv")
    assert (second.state, second.replay_of, second.changed) == ("committed", first.ingest_id, None)
    assert (second.write_timestamp or 0) > (first.write_timestamp or 0)
    assert second.holds_claim
    assert not now(first).holds_claim
    assert stored(customer) == Stored(1, len(text)), "one file, whoever wrote its rows last"
    assert customer.receipt(second).replay_of == first.ingest_id
    assert second.archived == now(first).archived
    assert customer.run_one("again.csv", text).duplicate_of == second.ingest_id
    held, wrong = full_audit(customer)
    assert wrong == []
    for record, rows in ((first, (0, 30)), (second, (30, 0))):
        mine = held[str(record.ingest_id)]
        assert (mine.rows_held, mine.rows_superseded) == rows
    third = replayed(customer, first.sha256[:12])
    assert third.replay_of == second.ingest_id
    purged(first)
    assert len(words(customer)) == 30, "none of its rows is the first ingest's any more"
    assert stored(customer) == Stored(1, len(text))
    customer.at_rest()


def test_a_replay_after_a_purge_is_visible(reader: Any) -> None:
    customer = Customer.make(reader, tables=KEYED)
    first = customer.run_one("a.csv", content(range(30), "x"))
    purged(first)
    second = replayed(customer, "a.csv")
    assert (second.replay_of, second.displaced) == (first.ingest_id, None)
    assert len(words(customer)) == 30
    assert stored(customer).files == 1
    assert full_audit(customer)[1] == []
    customer.at_rest()
    purged(second)
    assert words(customer) == {}
    customer.at_rest()


def test_superseded_rows_survive_the_purge_of_the_file_before(reader: Any) -> None:
    customer = Customer.make(reader, tables=KEYED)
    first = customer.run_one("a.csv", content(range(20), "first"))
    customer.run_one("b.csv", content(range(10, 30), "second"))
    assert purged(first).rows_purged == 10
    assert words(customer) == dict.fromkeys(range(10, 30), "second")
    assert full_audit(customer)[1] == []
    customer.at_rest()


def test_what_a_purged_file_had_superseded_does_not_come_back_and_is_not_lost(reader: Any) -> None:
    customer = Customer.make(reader, tables=KEYED)
    first = customer.run_one("a.csv", content(range(20), "first"))
    second = customer.run_one("b.csv", content(range(10, 30), "second"))
    assert purged(second).rows_purged == 20
    assert words(customer) == dict.fromkeys(range(10), "first"), "Cassandra keeps no former version"
    held, wrong = full_audit(customer)
    assert wrong == []
    mine = held[str(first.ingest_id)]
    assert (mine.rows_written, mine.rows_superseded, mine.rows_held, mine.rows_lost) == (20, 10, 10, 0)
    replayed(customer, "a.csv")
    assert words(customer) == dict.fromkeys(range(20), "first")
    customer.at_rest()


def test_of_two_replays_at_once_one_wins(reader: Any) -> None:
    customer = Customer.make(reader, tables=KEYED)
    customer.run_one("a.csv", content(range(10), "x"))

    async def work(ledger: Ledger) -> list[FileRecord]:
        old = replayable(await find_stored(ledger, customer.name, "a.csv"))
        return list(await asyncio.gather(*(replay(ledger, customer.tenant, old, LOG) for _ in range(3))))

    records = in_ledger(work)
    (winner,) = [record for record in records if record.state == "committed"]
    assert {record.duplicate_of for record in records if record is not winner} == {winner.ingest_id}
    assert stored(customer).files == 1
    customer.at_rest()


APP = """import sys
for number, line in enumerate(open(sys.argv[1]).read().splitlines()[1:], 1):
    print('{"id": %s, "word": "WORD", "_source": %d}' % (line.split(",")[0], number))
"""
WITH_APP = {"tables": KEYED, "batch": {"routes": [{"files": ["*"], "table": "events", "app": "clean"}]}}


def test_a_replay_by_another_app_says_so_in_ledger_and_receipt(reader: Any) -> None:
    customer = Customer.make(reader, **WITH_APP)
    customer.app("clean", APP.replace("WORD", "old"))
    first = customer.run_one("a.csv", content(range(5), "x"))
    assert what_changed(customer.tenant, now(first)) is None
    customer.app("clean", APP.replace("WORD", "new"))
    changed = what_changed(customer.tenant, now(first))
    assert changed == "the app clean still says version 1, but its files are others"
    second = replayed(customer, "a.csv")
    assert (second.changed, customer.receipt(second).changed) == (changed, changed)
    assert set(words(customer).values()) == {"new"}


def test_a_replay_by_another_table_says_what_changed(reader: Any) -> None:
    customer = Customer.make(reader, tables=KEYED)
    first = customer.run_one("a.csv", content(range(5), "x"))
    columns = {"id": "bigint", "word": {"type": "text", "required": True}, "more": "int"}
    customer = customer.again(tables={"events": {"columns": columns, "partition_key": ["id"]}})
    expected = "the table events had no column more; the table events defined the column word otherwise"
    assert what_changed(customer.tenant, now(first)) == expected
    assert replayed(customer, "a.csv").changed == expected


def test_a_replay_that_is_rejected_leaves_all_as_it_was(reader: Any) -> None:
    customer = Customer.make(reader, **WITH_APP)
    customer.app("clean", APP.replace("WORD", "old"))
    first = customer.run_one("a.csv", content(range(5), "x"))
    customer.app("clean", "import sys; sys.exit(65)")
    second = replayed(customer, "a.csv")
    assert second.state == "rejected"
    assert now(first).holds_claim
    assert stored(customer).files == 1
    assert set(words(customer).values()) == {"old"}
    customer.at_rest()


REFUSED: dict[str, tuple[str, Code]] = {
    "unknown": ("nobody.csv", Code.FILE_UNKNOWN),
    "rejected": ("bad.csv", Code.FILE_NOT_STORED),
    "several of one name": ("daily.csv", Code.FILE_AMBIGUOUS),
    "a beginning too short": ("a", Code.FILE_UNKNOWN),
}


def test_what_cannot_be_purged_or_replayed_is_named(reader: Any) -> None:
    customer = Customer.make(reader, tables=KEYED)
    customer.run_one("bad.csv", "id,word\nx,y\n")
    for word in ("monday", "tuesday"):
        customer.run_one("daily.csv", content(range(3), word))
    for wanted, code in REFUSED.values():
        with pytest.raises(MysimbdpError) as refused:
            in_ledger(lambda ledger, wanted=wanted: find_stored(ledger, customer.name, wanted))  # type: ignore[misc]
        assert refused.value.problem.code is code


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_archived_bytes_that_are_not_those_of_then_are_not_replayed(reader: Any, damage: str) -> None:
    customer = Customer.make(reader, tables=KEYED)
    first = customer.run_one("a.csv", content(range(5), "x"))
    path = settings().archive_dir / (now(first).archived or "")
    path.unlink() if damage == "gone" else path.write_text(content(range(5), "y"))
    with pytest.raises(MysimbdpError, match="ARCHIVE_LOST"):
        replayed(customer, "a.csv")
    assert customer.staged() == []
    assert len(customer.records()) == 1


def test_without_its_keys_a_file_is_purged_after_a_replay(reader: Any) -> None:
    customer = Customer.make(reader, tables=KEYED)
    first = customer.run_one("a.csv", content(range(5), "x"))
    customer.landing.archived_keys(first.ingest_id).unlink()
    with pytest.raises(MysimbdpError, match="KEYS_LOST"):
        purged(first)
    purged(replayed(customer, "a.csv"))
    assert words(customer) == {}


def test_keys_a_file_repeats_are_counted_and_one_row_each(reader: Any) -> None:
    customer = Customer.make(reader, tables=KEYED)
    record = customer.run_one("a.csv", content([1, 2, 1, 3, 2, 1], "x"))
    assert (record.rows_read, record.rows_written, record.rows_repeated) == (6, 6, 3)
    assert customer.receipt(record).rows_repeated == 3
    held, wrong = full_audit(customer)
    assert wrong == []
    assert held[str(record.ingest_id)].rows_held == 3
    assert purged(record).rows_purged == 3
    customer.at_rest()


@pytest.mark.parametrize("tables", [KEYED, TAGGED, {"events": EVENTS}], ids=["natural key", "no lineage", "file's key"])
def test_the_audit_finds_a_row_deleted_behind_its_back(reader: Any, tables: dict[str, Any]) -> None:
    customer = Customer.make(reader, tables=tables)
    customer.run_one("fine.csv", content(range(100, 120), "x"))
    record = customer.run_one("short.csv", content(range(10), "x"))
    customer.balanced()
    key = f'"_file" = \'{record.sha256}\' AND "_bucket" = 0 AND "_record" = 4'
    where = "id = 3" if tables["events"].get("partition_key") else key
    reader.execute(f"DELETE FROM tenant_{customer.name}.events WHERE {where}")
    for full in (True, False):
        found = in_ledger(lambda ledger, full=full: audit_tenant(ledger, settings(), customer.name, full=full))  # type: ignore[misc]
        (wrong,) = found.discrepancies
        assert (wrong.check, wrong.subject) == ("table", str(record.ingest_id))
        assert wrong.what.startswith("1 of")
        assert "short.csv" in wrong.what


def test_the_full_audit_finds_rows_that_should_not_be_there(reader: Any) -> None:
    customer = Customer.make(reader, tables=KEYED)
    record = customer.run_one("a.csv", content(range(5), "x"))
    purged(record)
    reader.execute(
        f'INSERT INTO tenant_{customer.name}.events (id, word, "_ingest") VALUES (77, %s, %s)',
        ("back", record.ingest_id),
    )
    assert full_audit(customer)[1] == ["table: events holds 1 rows of a.csv, which is purged"]


def test_a_table_dropped_behind_the_ledgers_back_is_missed(reader: Any) -> None:
    customer = Customer.make(reader, tables=KEYED)
    customer.run_one("a.csv", content(range(5), "x"))
    reader.execute(f"DROP TABLE tenant_{customer.name}.events")
    assert [wrong[:20] for wrong in full_audit(customer)[1]] == ["table: 5 of the 5 ro"]
    (wrong,) = in_ledger(lambda ledger: audit_tenant(ledger, settings(), customer.name)).discrepancies
    assert wrong.what.startswith("5 of 5 rows looked up")
