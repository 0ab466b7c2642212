from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mysimbdp.coredms.batching import BatchLimits, batches, by_partition, partition_starts

ALONE = BatchLimits(
    across_partitions=True, max_bytes_across=100, max_rows_across=4, max_bytes_within=200, max_rows_within=8
)
CLUSTER = BatchLimits(
    across_partitions=False, max_bytes_across=100, max_rows_across=4, max_bytes_within=200, max_rows_within=8
)


@pytest.mark.parametrize(
    ("limits", "starts", "widths", "sizes"),
    [
        pytest.param(ALONE, [], [], [], id="no rows, no batches"),
        pytest.param(ALONE, [0, 1, 2, 3, 4, 5], [1] * 6, [4, 2], id="one node: one-row partitions share batches"),
        pytest.param(CLUSTER, [0, 1, 2], [1] * 3, [1, 1, 1], id="cluster: one-row partitions go to their replicas"),
        pytest.param(CLUSTER, [0], [1] * 20, [8, 8, 4], id="one partition is cut by rows"),
        pytest.param(CLUSTER, [0], [90] * 5, [2, 2, 1], id="one partition is cut by bytes"),
        pytest.param(CLUSTER, [0], [900, 1, 900], [1, 1, 1], id="a row above the limit goes alone"),
        pytest.param(ALONE, [0, 1, 2], [49] * 3, [2, 1], id="one node: bytes are bounded across partitions"),
        pytest.param(ALONE, [0, 1, 7, 8], [1] * 9, [1, 6, 2], id="one node: a large partition keeps its own batch"),
        pytest.param(ALONE, [0, 1, 2], [1, 150, 1], [1, 1, 1], id="one node: a wide row is not shared"),
    ],
)
def test_rows_are_cut_into_batches(limits: BatchLimits, starts: list[int], widths: list[int], sizes: list[int]) -> None:
    assert [len(batch) for batch in batches(starts, widths, limits)] == sizes


@given(
    runs=st.lists(st.integers(1, 12), max_size=20),
    width=st.integers(1, 300),
    limits=st.sampled_from([ALONE, CLUSTER]),
)
def test_every_row_is_in_exactly_one_batch_and_in_order(runs: list[int], width: int, limits: BatchLimits) -> None:
    starts = [sum(runs[:position]) for position in range(len(runs))]
    cut = list(batches(starts, [width] * sum(runs), limits))
    assert [row for batch in cut for row in batch] == list(range(sum(runs)))
    for batch in cut:
        assert len(batch) == 1 or len(batch) * width <= limits.max_bytes_within


def test_rows_of_one_partition_come_together_and_keep_their_order() -> None:
    rows = pa.RecordBatch.from_pydict({"k": ["b", "a", "b", "a"], "j": [1, 1, 1, 2], "n": [0, 1, 2, 3]})
    ordered = by_partition(rows, ["k", "j"])
    assert ordered.column("n").to_pylist() == [1, 3, 0, 2]
    assert partition_starts(ordered, ["k", "j"]) == [0, 1, 2]
    assert partition_starts(ordered, ["k"]) == [0, 2]


@pytest.mark.parametrize(("keys", "starts"), [([], []), (["a"], [0]), (["a", None, None, "b"], [0, 1, 2, 3])])
def test_partition_starts_of_few_rows_and_of_missing_keys(keys: list[str | None], starts: list[int]) -> None:
    rows = pa.RecordBatch.from_pydict({"k": pa.array(keys, pa.utf8())})
    assert partition_starts(rows, ["k"]) == starts
