"""The keys of a file come back as they were, each once, with the table they are of."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pyarrow as pa
import pytest

from mysimbdp.coredms import keyfile
from mysimbdp.coredms.keyfile import open_keys, write_keys
from mysimbdp.tenants.model import Table

DIGEST = "ab" * 32
COLUMNS = {"day": "date", "id": "bigint", "word": "text"}
NATURAL = Table.model_validate({"columns": COLUMNS, "partition_key": ["id"], "clustering_key": ["day"]})
OF_THE_FILE = Table.model_validate({"columns": COLUMNS})


def batches(ids: list[int], size: int = 3) -> list[pa.RecordBatch]:
    rows = [
        {"day": number % 5, "id": number, "word": f"w{number}", "_source": place} for place, number in enumerate(ids, 1)
    ]
    schema = pa.schema({"day": pa.date32(), "id": pa.int64(), "word": pa.utf8(), "_source": pa.int64()})
    return [pa.RecordBatch.from_pylist(rows[start : start + size], schema) for start in range(0, len(rows), size)]


@pytest.fixture(autouse=True)
def _small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyfile, "GROUP_ROWS", 4)


def test_keys_of_a_natural_key_come_back_in_order(tmp_path: Path) -> None:
    assert write_keys(tmp_path / "k", batches(list(range(20))), NATURAL, DIGEST) == 0
    keys = open_keys(tmp_path / "k")
    assert keys is not None
    assert (keys.rows, keys.table, keys.file_digest) == (20, NATURAL, DIGEST)
    read = pa.Table.from_batches(keys.keys())
    assert read.schema.names == ["id", "day", "_source"]
    assert read.column("id").to_pylist() == list(range(20))
    assert read.column("day").type == pa.date32()
    assert [path.name for path in tmp_path.iterdir()] == ["k"]


def test_of_a_repeated_key_the_last_row_is_kept(tmp_path: Path) -> None:
    assert write_keys(tmp_path / "k", batches([1, 2, 1, 3, 4, 5, 6, 2, 1]), NATURAL, DIGEST) == 3
    keys = open_keys(tmp_path / "k")
    assert keys is not None
    read = pa.Table.from_batches(keys.keys())
    assert dict(zip(read.column("id").to_pylist(), read.column("_source").to_pylist(), strict=True)) == {
        3: 4, 4: 5, 5: 6, 6: 7, 2: 8, 1: 9,
    }  # fmt: skip
    assert keys.rows == 6
    assert [path.name for path in tmp_path.iterdir()] == ["k"]


def test_a_key_made_of_the_file_is_its_record_number(tmp_path: Path) -> None:
    write_keys(tmp_path / "k", batches([5, 5, 5]), OF_THE_FILE, DIGEST)
    keys = open_keys(tmp_path / "k")
    assert keys is not None
    (group,) = keys.keys()
    assert group.to_pylist() == [
        {"_file": DIGEST, "_bucket": 0, "_record": record, "_source": record} for record in (1, 2, 3)
    ]


def test_a_sample_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    write_keys(tmp_path / "k", batches(list(range(100)), 10), NATURAL, DIGEST)
    keys = open_keys(tmp_path / "k")
    assert keys is not None
    first, again = (keys.sample(3, Random(7)) for _ in range(2))  # noqa: S311  # no secret
    assert first.equals(again)
    assert first.num_rows == 3


def test_no_keys_are_none(tmp_path: Path) -> None:
    assert open_keys(tmp_path / "k") is None


def test_keys_take_little_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyfile, "GROUP_ROWS", 65_536)
    write_keys(tmp_path / "k", batches(list(range(50_000)), 5000), OF_THE_FILE, DIGEST)
    assert (tmp_path / "k").stat().st_size < 5000
