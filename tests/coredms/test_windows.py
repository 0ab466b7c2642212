from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pyarrow as pa
import pytest

from mysimbdp.coredms import windows as module
from mysimbdp.coredms.windows import windows


def rows(start: int, count: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"n": pa.array(range(start, start + count), pa.int64())})


def sizes(batches: list[pa.RecordBatch]) -> list[int]:
    async def work() -> list[pa.RecordBatch]:
        return [window async for window in windows(batches)]

    found = asyncio.run(work())
    together = [value for window in found for value in window.column(0).to_pylist()]
    assert together == [value for batch in batches for value in batch.column(0).to_pylist()]
    return [window.num_rows for window in found]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([0, 0], [], id="empty batches"),
        pytest.param([3, 4, 2], [7, 2], id="small batches are joined up to the limit"),
        pytest.param([20], [8, 8, 4], id="a large batch is sliced"),
        pytest.param([1, 20, 1], [1, 8, 8, 5], id="both"),
    ],
)
def test_windows_hold_at_most_so_many_rows(
    given: list[int], expected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WINDOW_ROWS", 8)
    assert sizes([rows(sum(given[:i]), count) for i, count in enumerate(given)]) == expected


def test_windows_hold_about_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOW_BYTES", 80)
    assert sizes([rows(0, 25)]) == [10, 10, 5]


def test_a_change_of_schema_begins_a_new_window_and_async_sources_are_read() -> None:
    other = pa.RecordBatch.from_pydict({"m": pa.array([9], pa.int64())})

    async def source() -> AsyncIterator[pa.RecordBatch]:
        for batch in (rows(0, 2), rows(2, 2), other):
            yield batch

    async def work() -> list[list[str]]:
        return [[*window.schema.names, str(window.num_rows)] async for window in windows(source())]

    assert asyncio.run(work()) == [["n", "4"], ["m", "1"]]
