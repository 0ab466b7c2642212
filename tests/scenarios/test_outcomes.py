"""What becomes of files that are no bad input: seen before, too many, vanished, or met by a bad app."""

from __future__ import annotations

import asyncio
import io
import os
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mysimbdp.connections import COREDMS, connection
from mysimbdp.coredms.loader import Loader
from mysimbdp.coredms.schema import apply_tenant
from mysimbdp.errors import Code, Problem, TerminalError
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.record import FileRecord
from mysimbdp.onebox import roles, secrets
from mysimbdp.onebox.onebox import Onebox
from mysimbdp.onebox.ports import HOST

from .customers import EVENTS, Customer, in_ledger

pytestmark = pytest.mark.onebox

TWO = "id,word\n1,one\n2,two\n"
TWO_ROWS = [{"id": 1, "word": "one"}, {"id": 2, "word": "two"}]
KEYED = {"events": {**EVENTS, "partition_key": ["id"]}}


@pytest.fixture(scope="module")
def customer(reader: Any) -> Customer:
    """For scenarios that do not care what else there is."""
    return Customer.make(reader)


def outcomes(records: list[FileRecord]) -> dict[str, str]:
    return {record.name: str(record.state) for record in records}


# Seen before


@pytest.mark.parametrize("second_name", ["dup.csv", "another.csv"])
def test_the_same_bytes_again_are_a_duplicate(customer: Customer, second_name: str) -> None:
    content = f"id,word\n1,{second_name}\n"
    first = customer.run_one("dup.csv", content)
    second = customer.run_one(second_name, content)
    assert (first.state, second.state) == ("committed", "duplicate")
    receipt = customer.receipt(second)
    assert (receipt.code, receipt.duplicate_of) == (Code.FILE_DUPLICATE, first.ingest_id)
    assert (receipt.rows_read, receipt.rows_written) == (0, 0)
    assert len(customer.rows(content)) == 1
    customer.at_rest()


def test_of_two_at_once_one_is_committed(customer: Customer) -> None:
    content = "id,word\n5,at once\n"
    customer.drop("left.csv", content)
    customer.drop("right.csv", content)
    assert sorted(outcomes(customer.run()).values()) == ["committed", "duplicate"]
    assert len(customer.rows(content)) == 1
    customer.at_rest()


def test_two_runs_that_claim_the_same_bytes_at_once(customer: Customer) -> None:
    content = "id,word\n6,two runs\n"
    customer.drop("left.csv", content)
    customer.drop("right.csv", content)
    left, right = customer.look("left.csv"), customer.look("right.csv")

    async def work(ledger: Ledger) -> None:
        async with asyncio.TaskGroup() as both:
            both.create_task(one(ledger, "left run", left))
            both.create_task(one(ledger, "right run", right))

    async def one(ledger: Ledger, run_id: str, seen: Any) -> None:
        intake = await customer.validate(ledger, run_id, [seen])
        await customer.ingest(ledger, run_id, intake)
        await customer.record(ledger, intake)

    in_ledger(work)
    states = [str(record.state) for record in customer.records() if record.name in {"left.csv", "right.csv"}][:2]
    assert sorted(states) == ["committed", "duplicate"]
    customer.at_rest()


def test_two_runs_that_take_the_same_file(customer: Customer) -> None:
    content = "id,word\n7,one file two runs\n"
    customer.drop("shared.csv", content)
    seen = customer.look("shared.csv")

    async def one(ledger: Ledger, run_id: str) -> None:
        intake = await customer.validate(ledger, run_id, [seen])
        await customer.ingest(ledger, run_id, intake)
        await customer.record(ledger, intake)

    async def work(ledger: Ledger) -> None:
        await asyncio.gather(one(ledger, "ring"), one(ledger, "by hand"))

    in_ledger(work)
    customer.run(wanted=None)  # whichever lost the lease left the rest to the next run
    assert len(customer.rows(content)) == 1
    assert [receipt.outcome for receipt in customer.receipts("shared.csv")] == ["committed"]
    customer.at_rest()


def test_after_a_rejection_the_same_bytes_are_taken_again(reader: Any) -> None:
    strict = Customer.make(reader, batch={"max_rejected_share": 0.4})
    content = "id,word\n1,one\nx,bad\n"
    rejected = strict.run_one("half.csv", content)
    assert (rejected.state, rejected.problem and rejected.problem.code) == ("rejected", Code.TOO_MANY_REJECTED_ROWS)
    receipt = strict.receipt(rejected)
    assert (receipt.rows_read, receipt.rows_written, receipt.rows_rejected) == (2, 0, 2)
    assert [(row.line, row.value) for row in receipt.first_rejected_rows] == [(3, "x")]
    assert strict.rows() == []
    lenient = strict.again(batch={"max_rejected_share": 0.6})
    again = lenient.run_one("half.csv", content)
    assert (again.state, again.rows_written, again.rows_rejected) == ("committed", 1, 1)
    assert lenient.rows() == [{"id": 1, "word": "one"}]
    lenient.at_rest()


def test_a_later_file_overwrites_the_rows_of_an_earlier(reader: Any) -> None:
    customer = Customer.make(reader, tables=KEYED)
    customer.run_one("monday.csv", TWO)
    customer.run_one("tuesday.csv", "id,word\n2,deux\n3,trois\n")
    assert [(row["id"], row["word"]) for row in customer.rows()] == [(1, "one"), (2, "deux"), (3, "trois")]
    customer.at_rest()


def test_rows_that_agree_in_everything_stay_several_without_a_natural_key(customer: Customer) -> None:
    content = "id,word\n9,same\n9,same\n9,same\n"
    assert customer.run_one("same.csv", content).rows_written == 3
    assert len(customer.rows(content)) == 3


def test_parquet(customer: Customer) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"id": [11, 12], "word": ["p", None]}), sink)
    record = customer.run_one("a.parquet", sink.getvalue())
    assert (record.state, record.rows_written) == ("committed", 2)
    assert customer.rows(sink.getvalue()) == [{"id": 11, "word": "p"}, {"id": 12, "word": None}]


# Too many


def test_files_beyond_the_quota_are_rejected(reader: Any) -> None:
    small = Customer.make(reader, constraints={"max_nb_files": 2, "max_file_size": 1, "allowed_file_format": ["csv"]})
    for number in range(4):
        small.drop(f"{number}.csv", f"id,word\n{number},n\n")
    states = outcomes(small.run())
    assert sorted(states.values()) == ["committed", "committed", "rejected", "rejected"]
    refused = [receipt for receipt in small.receipts() if receipt.outcome == "rejected"]
    assert {receipt.code for receipt in refused} == {Code.QUOTA_FILES}
    assert all(receipt.moved_to for receipt in refused)
    small.at_rest()


def test_bytes_beyond_the_quota_are_rejected_and_smaller_ones_go_in(reader: Any) -> None:
    small = Customer.make(
        reader, constraints={"max_nb_files": 9, "max_file_size": 0.01, "allowed_file_format": ["csv"]}
    )
    for name, size in {"1-first.csv": 6000, "2-too-much.csv": 6000, "3-fits.csv": 3000}.items():
        record = small.run_one(name, f"id,word\n1,{name}{'x' * size}\n")
        expected = Code.QUOTA_BYTES if "too-much" in name else None
        assert (record.problem and record.problem.code) == expected
    assert in_ledger(lambda ledger: ledger.quotas.stored(small.name)).files == 2
    small.at_rest()


def test_a_rejected_file_gives_its_room_back(reader: Any) -> None:
    small = Customer.make(reader, constraints={"max_nb_files": 1, "max_file_size": 1, "allowed_file_format": ["csv"]})
    assert small.run_one("bad.csv", "id,word\nx,bad\n").state == "rejected"
    assert small.run_one("good.csv", TWO).state == "committed"
    assert small.run_one("more.csv", "id,word\n3,no room\n").state == "rejected"
    small.at_rest()


def test_twenty_runs_at_once_never_store_more_than_allowed(reader: Any) -> None:
    small = Customer.make(reader, constraints={"max_nb_files": 7, "max_file_size": 1, "allowed_file_format": ["csv"]})
    files = []
    for number in range(20):
        small.drop(f"{number}.csv", f"id,word\n{number},n\n")
        files.append(small.look(f"{number}.csv"))

    async def work(ledger: Ledger) -> list[FileRecord]:
        intakes = await asyncio.gather(
            *(small.validate(ledger, f"run {number}", [seen]) for number, seen in enumerate(files))
        )
        found = [await ledger.files.find(ref) for intake in intakes for ref in intake.refs]
        return [record for record in found if record is not None]

    states = [str(record.state) for record in in_ledger(work)]
    assert (states.count("claimed"), states.count("rejected")) == (7, 13)
    stored = in_ledger(lambda ledger: ledger.quotas.stored(small.name))
    assert stored.files == 7
    small.balanced()


# Gone or growing


def test_a_file_that_still_grows_waits(customer: Customer) -> None:
    path = customer.drop("growing.csv", "id,word\n1,first\n")
    seen = customer.look("growing.csv")
    with path.open("a") as more:
        more.write("2,more\n")

    async def work(ledger: Ledger) -> int:
        return len((await customer.validate(ledger, "too early", [seen])).refs)

    assert in_ledger(work) == 0
    assert customer.inbox() == ["growing.csv"]
    assert customer.staged() == []
    (record,) = customer.run()
    assert (record.state, record.rows_written) == ("committed", 2)
    customer.at_rest()


def test_a_file_that_grows_while_it_is_copied_waits(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    path = customer.drop("copied.csv", "id,word\n1,first of two\n")
    read = os.readv

    def grow(source: int, buffers: Any) -> int:
        count = read(source, buffers)
        if count == 0 and path.exists() and "second" not in path.read_text():
            with path.open("a") as more:
                more.write("2,second\n")
        return int(count)

    monkeypatch.setattr("mysimbdp.landing.copying.os.readv", grow)
    assert customer.run() == []
    assert customer.inbox() == ["copied.csv"]
    monkeypatch.undo()
    (record,) = customer.run()
    assert (record.state, record.rows_written) == ("committed", 2)
    customer.at_rest()


def test_a_file_that_is_open_for_writing_waits(customer: Customer) -> None:
    with customer.drop("open.csv", "id,word\n1,open\n").open("a"):
        assert customer.run() == []
        assert customer.inbox() == ["open.csv"]
    assert outcomes(customer.run()) == {"open.csv": "committed"}
    customer.at_rest()


def test_a_file_deleted_after_it_was_seen_is_no_file(customer: Customer) -> None:
    customer.drop("gone.csv", "id,word\n1,gone\n")
    seen = customer.look("gone.csv")
    (customer.landing.inbox / "gone.csv").unlink()

    async def work(ledger: Ledger) -> int:
        return len((await customer.validate(ledger, "too late", [seen])).refs)

    assert in_ledger(work) == 0
    assert customer.receipts("gone.csv") == []
    customer.at_rest()


def test_a_file_replaced_after_it_was_seen_is_taken_as_it_is_now(customer: Customer) -> None:
    customer.drop("replaced.csv", "id,word\n1,old one\n")
    seen = customer.look("replaced.csv")
    (customer.landing.inbox / "replaced.csv").unlink()
    customer.drop("replaced.csv", "id,word\n1,new one\n")

    async def work(ledger: Ledger) -> int:
        return len((await customer.validate(ledger, "old look", [seen])).refs)

    assert in_ledger(work) == 0
    (record,) = customer.run()
    assert record.state == "committed"
    assert len(customer.rows("id,word\n1,new one\n")) == 1
    assert customer.rows("id,word\n1,old one\n") == []


def test_a_marker_is_waited_for_where_the_tenant_asks_for_one(reader: Any) -> None:
    marked = Customer.make(reader, source={"kind": "folder", "done_marker": True})
    marked.drop("a.csv", TWO)
    assert marked.run() == []
    marked.drop("a.csv.done", "")
    assert outcomes(marked.run()) == {"a.csv": "committed"}
    marked.at_rest()


# Bad apps

ROUTED = {"batch": {"routes": [{"files": ["*"], "table": "events", "app": "app"}], "max_attempts": 2}}
COPY = """
import csv, json, sys
for row in csv.DictReader(open(sys.argv[-1])):
    {bad}
    print(json.dumps(row), flush=True)
"""
BAD_APPS = {
    "crashes": ("raise SystemExit(3)", "failed", Code.ATTEMPTS_EXHAUSTED),
    "crashes after rows": ("if row['id'] == '2': raise RuntimeError('no')", "failed", Code.ATTEMPTS_EXHAUSTED),
    "is killed": ("import os; os.kill(os.getpid(), 9)", "failed", Code.ATTEMPTS_EXHAUSTED),
    "hangs": ("import time; time.sleep(60)", "failed", Code.ATTEMPTS_EXHAUSTED),
    "asks for later for ever": ("raise SystemExit(75)", "failed", Code.ATTEMPTS_EXHAUSTED),
    "writes garbage": ("print('{no json'); continue", "rejected", Code.APP_BAD_OUTPUT),
    "writes nothing": ("continue", "rejected", Code.FILE_NO_ROWS),
    "refuses the file": ("raise SystemExit(65)", "rejected", Code.APP_REJECTED),
    "refuses it after rows": ("if row['id'] == '2': raise SystemExit(65)", "rejected", Code.APP_REJECTED),
}


@pytest.mark.parametrize("scenario", BAD_APPS)
def test_an_app_that(reader: Any, scenario: str) -> None:
    bad, state, code = BAD_APPS[scenario]
    batch = {**ROUTED["batch"], "app_timeout_seconds": 1 if scenario == "hangs" else 30}
    customer = Customer.make(reader, batch=batch)
    customer.app("app", COPY.format(bad=bad))
    record = customer.run_one("a.csv", TWO)
    assert (str(record.state), record.problem and record.problem.code) == (state, code), record.problem
    receipt = customer.receipt(record)
    assert (receipt.outcome, receipt.code, receipt.rows_written) == (state, code, 0)
    assert receipt.moved_to
    assert (customer.landing.rejected / receipt.moved_to).read_text() == TWO
    assert customer.rows() == []
    customer.at_rest()


def test_an_app_that_mends_itself(reader: Any, tmp_path: Path) -> None:
    customer = Customer.make(reader, **ROUTED)
    flag = tmp_path / "second"
    customer.app(
        "app",
        COPY.format(bad=f"import pathlib; f = pathlib.Path({str(flag)!r}); f.exists() or [f.touch(), sys.exit(75)]"),
    )
    record = customer.run_one("a.csv", TWO)
    assert (record.state, record.rows_written, record.failures) == ("committed", 2, 1)
    assert customer.rows() == TWO_ROWS
    customer.at_rest()


def test_a_missing_app_rejects_the_file(reader: Any) -> None:
    customer = Customer.make(reader, **ROUTED)
    record = customer.run_one("a.csv", TWO)
    assert (record.state, record.problem and record.problem.code) == ("rejected", Code.APP_NOT_FOUND)
    customer.at_rest()


def test_a_pending_file_says_why_and_the_next_goes_on(reader: Any) -> None:
    customer = Customer.make(reader, **ROUTED)
    customer.app("app", COPY.format(bad="if row['word'] == 'bad': raise SystemExit(3)"))
    customer.drop("1-bad.csv", "id,word\n1,bad\n")
    customer.drop("2-good.csv", TWO)
    assert outcomes(customer.run(tries=1)) == {"2-good.csv": "committed"}
    (waiting,) = [record for record in customer.records() if record.name == "1-bad.csv"]
    assert (waiting.state, waiting.problem and waiting.problem.code) == ("ingesting", Code.APP_CRASHED)
    customer.balanced()
    assert outcomes(customer.run(wanted={str(waiting.ingest_id)})) == {"1-bad.csv": "failed"}
    customer.at_rest()


# Without Airflow


def test_mysimbdp_ingest_is_the_same_path(reader: Any, tmp_path: Path) -> None:
    customer = Customer.make(reader)
    path = tmp_path / "a.csv"
    path.write_text(TWO)
    first, second = customer.direct(path), customer.direct(path)
    assert (first.state, second.state) == ("committed", "duplicate")
    assert path.read_text() == TWO
    assert customer.rows() == TWO_ROWS
    (tmp_path / "empty.csv").touch()
    assert customer.direct(tmp_path / "empty.csv").state == "rejected"
    assert (tmp_path / "empty.csv").exists()
    with pytest.raises(TerminalError, match="FILE_VANISHED"):
        customer.direct(tmp_path / "nowhere.csv")
    customer.at_rest()


# Every step again


def test_every_step_may_be_repeated(customer: Customer) -> None:
    good, bad, refused = (f"{customer.name}-{name}" for name in ("a.csv", "bad.csv", "a.exe"))
    content = "id,word\n1,repeated\n"
    customer.drop(good, content)
    customer.drop(bad, "id,word\nx,repeated\n")
    customer.drop(refused, content)
    files = customer.complete()

    async def work(ledger: Ledger) -> None:
        intake = await customer.validate(ledger, "run", files)
        again = await customer.validate(ledger, "run", files)
        assert set(again.refs) == set(intake.refs)
        for _ in range(2):
            await customer.ingest(ledger, "run", intake)
        for _ in range(2):
            await customer.record(ledger, intake)
        late = await customer.validate(ledger, "run", files)
        await customer.ingest(ledger, "run", late)
        await customer.record(ledger, late)

    in_ledger(work)
    for name, outcome in {good: "committed", bad: "rejected", refused: "rejected"}.items():
        assert [receipt.outcome for receipt in customer.receipts(name)] == [outcome]
        assert len(customer.log_lines(f" {name} ") + customer.log_lines(f" {name}:")) == 1
    assert len(customer.rows(content)) == 1
    customer.at_rest()


# Refused by coredms


def test_rows_of_a_load_that_coredms_refuses_are_taken_back(reader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    customer = Customer.make(reader, tables=KEYED)
    customer.run_one("before.csv", "id,word\n1000,before\n7,before\n")
    send, sent = Loader._send, []

    async def refuse(self: Loader, rows: Any, batch: range, *others: Any) -> None:
        # The value that the gate lets through and coredms does not is not known: if it were, the gate would not.
        if len(sent) == 3:
            others[0].release()
            raise TerminalError(Problem(Code.COREDMS_REFUSED, "no"))
        sent.append(batch)
        await send(self, rows, batch, *others)

    monkeypatch.setattr(Loader, "_send", refuse)
    lines = "".join(f"{number},refused\n" for number in range(500, 1001))
    record = customer.run_one("refused.csv", f"id,word\n{lines}")
    assert (record.state, record.problem and record.problem.code) == ("rejected", Code.COREDMS_REFUSED)
    assert (record.rows_read, record.rows_rejected, record.rows_written) == (501, 501, 0)
    assert sum(map(len, sent)) > 0
    assert [(row["id"], row["word"]) for row in customer.rows()] == [(1000, "before"), (7, "before")]
    customer.at_rest()
    monkeypatch.undo()
    assert customer.run_one("refused.csv", f"id,word\n{lines}").state == "committed", (
        "no tombstone hides a later ingest"
    )
    assert len(customer.rows()) == 502


def test_without_the_right_to_write_a_file_waits(reader: Any, coredms_only: Onebox) -> None:
    customer = Customer.make(reader)
    superuser = secrets.load_or_make(coredms_only.home).cassandra_superuser
    role = connection(COREDMS).login
    table = f"{customer.tenant.keyspace}.events"
    with roles._session(HOST, coredms_only.ports.cassandra_native, roles.SUPERUSER, superuser) as owner:
        owner.execute(f"REVOKE MODIFY ON KEYSPACE {customer.tenant.keyspace} FROM {role}")
        owner.execute(f"REVOKE MODIFY ON TABLE {table} FROM {role}")
    time.sleep(2.5)  # coredms remembers rights for two seconds
    customer.drop("a.csv", TWO)
    assert customer.run(tries=1) == []
    (waiting,) = customer.records()
    assert waiting.state == "ingesting"
    assert waiting.problem is not None
    assert "MODIFY" in waiting.problem.what
    customer.balanced()
    with roles._session(HOST, coredms_only.ports.cassandra_native, roles.SUPERUSER, superuser) as owner:
        owner.execute(f"GRANT MODIFY ON TABLE {table} TO {role}")
    time.sleep(2.5)
    assert outcomes(customer.run(wanted=None)) == {"a.csv": "committed"}
    assert customer.rows() == TWO_ROWS
    customer.at_rest()


def test_a_table_that_is_gone_is_a_reason_to_wait(reader: Any) -> None:
    customer = Customer.make(reader)
    reader.execute(f"DROP TABLE {customer.tenant.keyspace}.events")
    customer.drop("a.csv", TWO)
    assert customer.run(tries=1) == []
    (waiting,) = customer.records()
    assert waiting.problem is not None
    assert waiting.problem.code is Code.SCHEMA_NOT_APPLIED
    apply_tenant(customer.tenant)
    assert outcomes(customer.run(wanted=None)) == {"a.csv": "committed"}
    customer.at_rest()


def test_the_disk_that_is_full_is_a_reason_to_wait(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mysimbdp.batchingestmanager.spool.SpoolWriter.add", full)
    customer.drop("full.csv", "id,word\n1,full disk\n")
    assert customer.run(tries=1) == []
    (waiting,) = [record for record in customer.records() if record.name == "full.csv"]
    assert waiting.problem is not None
    assert waiting.problem.code is Code.STORAGE_FULL
    monkeypatch.undo()
    assert outcomes(customer.run(wanted=None)) == {"full.csv": "committed"}
    customer.at_rest()
