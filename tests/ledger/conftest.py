"""The ledger over a real Cassandra, and a tenant of the test's own."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from uuid import UUID

import pytest
from tests.scenarios.conftest import reader

from mysimbdp.errors import Code, Problem
from mysimbdp.ledger.files import now
from mysimbdp.ledger.identity import ingest_id
from mysimbdp.ledger.record import FileRecord
from mysimbdp.ledger.states import State

__all__ = ["reader"]

_numbers = itertools.count(1)
NOON = 1_795_435_200_000_000_000
MONTH_NS = 31 * 86_400 * 10**9
PROBLEM = Problem(Code.APP_CRASHED, "it fell over", "a.csv")


@pytest.fixture
def tenant() -> str:
    return f"l{os.getpid()}_{next(_numbers)}"


def drop(tenant: str, *, sha: str = "ab", month: int = 0) -> FileRecord:
    """A file that has just been copied; another drop each time."""
    number = next(_numbers)
    ingest: UUID = ingest_id(tenant, f"{number}.csv", inode=number, ctime_ns=NOON + month * MONTH_NS, size=10)
    return FileRecord(
        tenant, sha * 32, ingest, name=f"{number}.csv", size=10, run_id="run", table_name="events", app="builtin",
        file_format="csv", received_at=now(), seconds={"copy": 0.1},
    )  # fmt: skip


def rejected(record: FileRecord) -> FileRecord:
    return replace(record, state=State.REJECTED, problem=PROBLEM)
