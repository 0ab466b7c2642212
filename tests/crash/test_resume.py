"""A load that is killed goes on from its last checkpoint."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pytest
from tests.scenarios.customers import Customer

from mysimbdp.coredms.loader import Loader, LoadResult
from mysimbdp.settings import settings

from . import victim
from .conftest import recover
from .test_points import the_record

pytestmark = pytest.mark.onebox

ROWS = 60_000
CHECKPOINT_ROWS = 16_384
"""The built-in app's batch of JSON lines: a checkpoint is taken after whole batches."""


@pytest.fixture
def many_checkpoints(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MYSIMBDP_CHECKPOINT_ROWS", str(CHECKPOINT_ROWS))
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows of each load of this process."""
    counts: list[int] = []
    load = Loader.load

    async def counted(self: Loader, rows: Iterable[pa.RecordBatch]) -> LoadResult:
        result = await load(self, rows)
        counts.append(result.rows)
        return result

    monkeypatch.setattr(Loader, "load", counted)
    return counts


def test_a_killed_load_goes_on_from_its_last_checkpoint(
    customer: Customer, many_checkpoints: None, loaded: list[int]
) -> None:
    name = f"{customer.name}-900.jsonl"
    first = 900_000_000
    customer.drop(name, "".join(json.dumps({"id": first + row, "word": "w"}) + "\n" for row in range(ROWS)))
    victim.die(customer, victim.CHECKPOINT_TAKEN)
    assert the_record(customer, name).rows_written == 2 * CHECKPOINT_ROWS
    recover(customer, seconds=60)
    assert sum(loaded) == ROWS - 2 * CHECKPOINT_ROWS
    record = the_record(customer, name)
    assert (record.state, record.rows_written) == ("committed", ROWS)
    found: dict[str, Any] = {row["id"] - first: row["word"] for row in customer.rows() if row["id"] >= first}
    assert len(found) == ROWS
    customer.at_rest()
