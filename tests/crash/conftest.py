"""Short leases, and the recovery that the watcher's rings and takeovers bring about."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.scenarios.conftest import reader
from tests.scenarios.customers import EVENTS, Customer, in_ledger

from mysimbdp.settings import settings

__all__ = ["reader"]

KEYED = {"events": {**EVENTS, "partition_key": ["id"]}}


@pytest.fixture(scope="module", autouse=True)
def _short_leases() -> Iterator[None]:
    monkeypatch = pytest.MonkeyPatch()
    # Cassandra counts whole seconds: a lease of 1 may be over in a moment.
    monkeypatch.setenv("MYSIMBDP_LEASE_SECONDS", "2")
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture(scope="module")
def customer(reader: Any) -> Customer:
    """One customer for the points of a module; files of another content each."""
    return Customer.make(reader, tables=KEYED)


def recover(customer: Customer, *, seconds: float = 30) -> None:
    """Run after run, each over the inbox and the pending files of dead runs, as the watcher rings for them."""
    deadline = time.monotonic() + seconds
    while True:
        pending = in_ledger(lambda ledger: ledger.arrivals.pending(customer.name))
        if not (pending or customer.inbox() or customer.staged()):
            return
        assert time.monotonic() < deadline, f"{pending} {customer.inbox()} {customer.staged()}"
        customer.run(wanted={str(item.ref.ingest_id) for item in pending})
        time.sleep(0.2)
