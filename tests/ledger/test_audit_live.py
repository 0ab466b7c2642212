"""The audit finds what is wrong: each check is broken on purpose."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid1

import pytest
from tests.scenarios.customers import Customer, in_ledger

from mysimbdp.audit import audit_tenant, landing
from mysimbdp.ledger.record import FileRecord
from mysimbdp.settings import settings

pytestmark = pytest.mark.onebox

FILES = "mysimbdp.files"
KEY = "tenant = %s AND sha256 = %s"
GOOD = "id,word\n1,one\nx,bad\n"


class Broken:
    """A customer with one committed and one rejected file, to be broken."""

    def __init__(self, customer: Customer) -> None:
        self.customer = customer
        self.committed: FileRecord = customer.run_one("good.csv", f"{GOOD}{time.time_ns()},now\n")
        self.rejected: FileRecord = customer.run_one("bad.csv", f"id,word\nx,{time.time_ns()}\n")
        customer.at_rest()

    def do(self, cql: str, *values: Any) -> None:
        self.customer.reader.execute(cql, values)

    def set(self, record: FileRecord, assignment: str, *values: Any) -> None:
        """Overwrite a column of the record behind the ledger's back."""
        cql = f"UPDATE {FILES} SET {assignment} WHERE {KEY} AND ingest_id = %s"
        self.do(cql, *values, record.tenant, record.sha256, record.ingest_id)

    def claim(self, record: FileRecord, live: Any) -> None:
        self.do(f"UPDATE {FILES} SET live_ingest = %s WHERE {KEY}", live, record.tenant, record.sha256)


def lost(broken: Broken) -> str:
    broken.set(broken.committed, "state = %s", "ingesting")
    return str(broken.committed.ingest_id)


def claim_of_another(broken: Broken) -> str:
    broken.claim(broken.committed, uuid1())
    return str(broken.committed.ingest_id)


def claim_of_a_rejected_file(broken: Broken) -> str:
    broken.claim(broken.rejected, broken.rejected.ingest_id)
    return str(broken.rejected.ingest_id)


def rows_that_do_not_add_up(broken: Broken) -> str:
    broken.set(broken.committed, "rows_written = %s", 1)
    return str(broken.committed.ingest_id)


def sums_of_the_quota(broken: Broken) -> str:
    broken.do("UPDATE mysimbdp.quotas SET files_used = 99 WHERE tenant = %s", broken.customer.name)
    return broken.customer.name


def stored_and_not_counted(broken: Broken) -> str:
    key = (broken.customer.name, broken.committed.ingest_id)
    broken.do("DELETE FROM mysimbdp.quotas WHERE tenant = %s AND ingest_id = %s", *key)
    return str(broken.committed.ingest_id)


def counted_and_not_stored(broken: Broken) -> str:
    key = (broken.customer.name, broken.rejected.ingest_id)
    broken.do("INSERT INTO mysimbdp.quotas (tenant, ingest_id, bytes) VALUES (%s, %s, 1)", *key)
    return str(broken.rejected.ingest_id)


def receipt_gone(broken: Broken) -> str:
    broken.customer.landing.receipt_file(broken.rejected.ingest_id, "bad.csv").unlink()
    return str(broken.rejected.ingest_id)


def archive_gone(broken: Broken) -> str:
    broken.customer.landing.archived_file(broken.committed.ingest_id, "good.csv").unlink()
    return str(broken.committed.ingest_id)


def held_and_forgotten(broken: Broken) -> str:
    held = broken.customer.landing.inbox / f".taken-{broken.committed.ingest_id}"
    held.touch()
    return str(broken.committed.ingest_id)


BREAKS: dict[str, tuple[str, Callable[[Broken], str]]] = {
    "a file nobody looks after": ("lost", lost),
    "bytes claimed by another": ("claim", claim_of_another),
    "a rejected file with a claim": ("claim", claim_of_a_rejected_file),
    "rows that do not add up": ("rows", rows_that_do_not_add_up),
    "sums of the quota": ("quota", sums_of_the_quota),
    "stored and not counted": ("quota", stored_and_not_counted),
    "counted and not stored": ("quota", counted_and_not_stored),
    "a receipt gone": ("receipt", receipt_gone),
    "an archived file gone": ("archive", archive_gone),
    "held in the inbox and forgotten": ("inbox", held_and_forgotten),
}


@pytest.mark.parametrize("scenario", BREAKS)
def test_the_audit_names(reader: Any, scenario: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check, do_break = BREAKS[scenario]
    broken = Broken(Customer.make(reader))
    subject = do_break(broken)
    monkeypatch.setattr(landing, "LONGEST_HELD_SECONDS", -1)
    found = in_ledger(lambda ledger: audit_tenant(ledger, settings(), broken.customer.name))
    assert (check, subject) in {(item.check, item.subject) for item in found.discrepancies}
    assert all(item.what for item in found.discrepancies)


def test_a_file_without_its_partition_is_received_and_not_forgotten(reader: Any) -> None:
    broken = Broken(Customer.make(reader))
    broken.do(f"DELETE FROM {FILES} WHERE {KEY}", broken.customer.name, broken.committed.sha256)
    found = in_ledger(lambda ledger: audit_tenant(ledger, settings(), broken.customer.name))
    assert ("lost", str(broken.committed.ingest_id)) in {(item.check, item.subject) for item in found.discrepancies}
    assert found.balance.received == 2
