"""Repeated keys are found exactly, however many passes it takes."""

from __future__ import annotations

import datetime
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from mysimbdp.coredms import repeats
from mysimbdp.coredms.repeats import Repeats, digests

MOMENT = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

KEYS: dict[str, list[dict[str, Any]]] = {
    "none": [{"id": 1}, {"id": 2}, {"id": 3}],
    "one number": [{"id": 3}, {"id": 1}, {"id": 3}, {"id": 3}],
    "negative and large numbers": [{"id": -(2**63)}, {"id": 2**63 - 1}, {"id": -1}, {"id": -(2**63)}],
    "days": [
        {"day": datetime.date(2026, 1, 1)},
        {"day": datetime.date(1969, 1, 1)},
        {"day": datetime.date(2026, 1, 1)},
    ],
    "text": [{"name": "a"}, {"name": ""}, {"name": "b"}, {"name": "a"}],
    "boundaries count": [{"a": "x", "b": "yz"}, {"a": "xy", "b": "z"}, {"a": "x", "b": "yz"}],
    "a colon in the text": [{"a": "x:y", "b": "z"}, {"a": "x", "b": "y:z"}, {"a": "x:y", "b": "z"}],
    "bytes": [{"raw": b"\0"}, {"raw": b"\0\0"}, {"raw": b"\0"}],
    "numbers and text": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}, {"id": 1, "name": "a"}],
    "times and text": [{"at": MOMENT, "name": "a"}, {"at": MOMENT, "name": "b"}, {"at": MOMENT, "name": "a"}],
    "fractions": [{"share": 0.5}, {"share": -0.0}, {"share": 0.25}, {"share": 0.5}],
    "lists": [{"tags": ["a", "b"]}, {"tags": ["ab"]}, {"tags": ["a", "b"]}],
}


def expected(rows: list[dict[str, Any]]) -> list[bool]:
    return [row in rows[number + 1 :] for number, row in enumerate(rows)]


def found(folder: Path, rows: list[dict[str, Any]], step: int) -> list[bool]:
    with Repeats(folder) as seen:
        for start in range(0, len(rows), step):
            seen.add(pa.RecordBatch.from_pylist(rows[start : start + step], pa.Table.from_pylist(rows).schema))
        mask = seen.repeated()
    return [False] * len(rows) if mask is None else mask.tolist()


@pytest.mark.parametrize("keys", KEYS)
@pytest.mark.parametrize("at_once", [1, 2, 1_000_000])
def test_a_row_is_marked_when_a_later_one_has_its_key(
    tmp_path: Path, keys: str, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "DIGESTS_AT_ONCE", at_once)
    monkeypatch.setattr(repeats, "READ_AT_ONCE", 2)
    assert found(tmp_path, KEYS[keys], 2) == expected(KEYS[keys])
    assert list(tmp_path.iterdir()) == []


def test_many_rows_in_several_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "DIGESTS_AT_ONCE", 300)
    random = Random(4)  # noqa: S311  # no secret
    numbers = [random.randrange(2000) for _ in range(3000)]
    last = {number: place for place, number in enumerate(numbers)}
    for rows in ([{"id": number} for number in numbers], [{"id": number, "name": "x"} for number in numbers]):
        assert found(tmp_path, rows, 700) == [last[number] != place for place, number in enumerate(numbers)]


def test_equal_keys_have_equal_digests_whatever_the_batch() -> None:
    first = pa.RecordBatch.from_pylist([{"a": "x", "b": 1}, {"a": "y", "b": 2}])
    second = pa.RecordBatch.from_pylist([{"a": "y", "b": 2}])
    assert digests(first)[1] == digests(second)[0]
    assert digests(first)[0] != digests(second)[0]
