"""Files with many rows go into coredms as SSTables; what stands in the way of that stands in no file's way."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pytest

from mysimbdp.coredms import routes
from mysimbdp.coredms.bulk.loader import BulkLoader
from mysimbdp.coredms.loader import LoadResult
from mysimbdp.settings import settings

from .customers import LOG, Customer

pytestmark = pytest.mark.onebox

ROWS = 40_000
CHECKPOINT_ROWS = 16_384
CONTENT = "".join(json.dumps({"id": row, "word": f"w{row}"}) + "\n" for row in range(ROWS))


@pytest.fixture
def imported(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Rows of each import; what counts as many rows is made small, and so are the parts between checkpoints."""
    counts: list[int] = []
    load = BulkLoader.load

    async def counted(self: BulkLoader, rows: Iterable[pa.RecordBatch]) -> LoadResult:
        result = await load(self, rows)
        counts.append(result.rows)
        return result

    monkeypatch.setattr(BulkLoader, "load", counted)
    monkeypatch.setattr(routes, "BULK_FROM_ROWS", 20_000)
    monkeypatch.setenv("MYSIMBDP_CHECKPOINT_ROWS", str(CHECKPOINT_ROWS))
    settings.cache_clear()
    yield counts
    monkeypatch.undo()
    settings.cache_clear()


def the_file_is_in(customer: Customer) -> None:
    record = customer.run_one("big.jsonl", CONTENT)
    assert (record.state, record.rows_written, record.problem) == ("committed", ROWS, None)
    query = f'SELECT id, word, "_record" AS r, "_ingest" AS i FROM tenant_{customer.name}.events'
    found: list[Any] = list(customer.reader.execute(query, timeout=60))
    assert {row.i for row in found} == {record.ingest_id}
    assert sorted((row.id, row.word) for row in found) == [(row, f"w{row}") for row in range(ROWS)]
    assert len({row.r for row in found}) == ROWS
    customer.at_rest()


def test_a_big_file_goes_as_sstables_with_its_checkpoints_between(reader: Any, imported: list[int]) -> None:
    the_file_is_in(Customer.make(reader))
    assert imported == [CHECKPOINT_ROWS, CHECKPOINT_ROWS, ROWS - 2 * CHECKPOINT_ROWS]


def test_a_small_file_does_not(reader: Any, imported: list[int]) -> None:
    customer = Customer.make(reader)
    assert customer.run_one("small.jsonl", '{"id": 1, "word": "w"}\n').rows_written == 1
    assert imported == []


def test_when_the_node_lets_nobody_import_the_file_goes_by_cql(
    reader: Any, imported: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "AIRFLOW_CONN_MYSIMBDP_COREDMS"
    facts = json.loads(os.environ[name])
    facts["extra"]["bulk"]["password"] = "another"
    monkeypatch.setenv(name, json.dumps(facts))
    said: list[str] = []
    monkeypatch.setattr(LOG, "warning", lambda text, *values: said.append(text % values))
    the_file_is_in(Customer.make(reader))
    assert imported == []
    assert any("big.jsonl: going on by CQL: BULK_FAILED: Authentication failed" in line for line in said)
