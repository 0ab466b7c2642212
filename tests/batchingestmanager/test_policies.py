"""Grouping, judging and giving up: the small policies of batchingestmanager."""

from __future__ import annotations

from uuid import uuid1

import pyarrow as pa
import pytest

from mysimbdp.batchingestmanager.attempts import MOST_INTERRUPTED_ATTEMPTS, exhausted
from mysimbdp.batchingestmanager.checkpoints import segments
from mysimbdp.batchingestmanager.grouping import MOST_FILES_IN_A_GROUP, MOST_GROUPS, group_by_bytes
from mysimbdp.batchingestmanager.judge import judge
from mysimbdp.errors import Code
from mysimbdp.ledger.record import FileRecord, Ref


def refs(*sizes: int) -> list[tuple[Ref, int]]:
    return [(Ref("t", str(number), uuid1()), size) for number, size in enumerate(sizes)]


@pytest.mark.parametrize(
    ("sizes", "groups"),
    [
        pytest.param([], [], id="no files, no groups"),
        pytest.param([5], [1], id="one file, one group"),
        pytest.param([4, 4, 4], [2, 1], id="small files share up to the limit"),
        pytest.param([50, 4, 4], [1, 2], id="a large file is alone"),
        pytest.param([4, 50, 4], [1, 1, 1], id="the order of arrival is kept"),
    ],
)
def test_files_are_grouped_by_bytes(sizes: list[int], groups: list[int]) -> None:
    assert [len(group) for group in group_by_bytes(refs(*sizes), group_bytes=10)] == groups


def test_a_group_has_at_most_so_many_files() -> None:
    grouped = group_by_bytes(refs(*[1] * (MOST_FILES_IN_A_GROUP + 1)), group_bytes=10**9)
    assert [len(group) for group in grouped] == [MOST_FILES_IN_A_GROUP, 1]


def test_there_are_never_more_groups_than_airflow_can_map() -> None:
    assert len(group_by_bytes(refs(*[9] * 5000), group_bytes=10)) <= MOST_GROUPS + 1


@pytest.mark.parametrize(
    ("read", "rejected", "share", "code"),
    [
        pytest.param(10, 0, 0.0, None, id="no bad row"),
        pytest.param(10, 1, 1.0, None, id="one bad row never blocks its file"),
        pytest.param(10, 1, 0.1, None, id="exactly the share allowed"),
        pytest.param(10, 2, 0.1, Code.TOO_MANY_REJECTED_ROWS, id="more than the share allowed"),
        pytest.param(10, 10, 1.0, Code.TOO_MANY_REJECTED_ROWS, id="no good row at all"),
        pytest.param(0, 0, 1.0, Code.FILE_NO_ROWS, id="no rows"),
    ],
)
def test_one_verdict_for_the_whole_file(read: int, rejected: int, share: float, code: Code | None) -> None:
    problem = judge("a.csv", rows_read=read, rows_rejected=rejected, max_rejected_share=share)
    assert (problem.code if problem else None) == code


@pytest.mark.parametrize(
    ("attempts", "failures", "spent"),
    [
        pytest.param(0, 0, False, id="new"),
        pytest.param(3, 2, False, id="the app failed less often than allowed"),
        pytest.param(3, 3, True, id="the app failed as often as allowed"),
        pytest.param(MOST_INTERRUPTED_ATTEMPTS - 1, 0, False, id="interrupted many times"),
        pytest.param(MOST_INTERRUPTED_ATTEMPTS, 0, True, id="interrupted for ever"),
    ],
)
def test_nothing_is_tried_for_ever(attempts: int, failures: int, spent: bool) -> None:
    record = FileRecord("t", "00", uuid1(), name="a.csv", attempts=attempts, failures=failures)
    assert (exhausted(record, max_attempts=3) is not None) == spent


@pytest.mark.parametrize(
    ("batches", "cut"),
    [
        pytest.param([], [], id="no rows, no checkpoint"),
        pytest.param([3], [3], id="fewer rows than asked for"),
        pytest.param([5, 5, 5, 1], [10, 6], id="after whole batches, once enough came together"),
        pytest.param([20, 20], [20, 20], id="a large batch is not cut"),
    ],
)
def test_a_load_is_cut_into_segments_at_checkpoints(batches: list[int], cut: list[int]) -> None:
    rows = (pa.RecordBatch.from_pydict({"n": pa.array(range(count))}) for count in batches)
    assert [sum(batch.num_rows for batch in segment) for segment in segments(rows, 8)] == cut
