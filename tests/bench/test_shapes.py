"""The files that loaders are compared on."""

from __future__ import annotations

import csv
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from mysimbdp.bench.shapes import CELL_CHARACTERS, SHAPES, Shape
from mysimbdp.bench.tenants import COLUMNS, write_tenant
from mysimbdp.tenants.store import load_tenant

ROWS = 1000


@pytest.fixture(params=SHAPES.values(), ids=lambda shape: shape.name)
def shape(request: pytest.FixtureRequest) -> Shape:
    return request.param  # type: ignore[no-any-return]


def written(shape: Shape, folder: Path, rows: int = ROWS) -> list[dict[str, str]]:
    path = folder / "rows.csv"
    shape.write(path, rows)
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_file_has_every_column_filled_in_every_row_and_no_key_twice(shape: Shape, tmp_path: Path) -> None:
    rows = written(shape, tmp_path)
    assert len(rows) == ROWS
    assert all(list(row) == list(shape.columns) and all(row.values()) for row in rows)
    key = [*shape.partition_key, *shape.clustering_key]
    assert len({tuple(row[name] for name in key) for row in rows}) == ROWS


def test_the_same_rows_are_written_again(shape: Shape, tmp_path: Path) -> None:
    assert written(shape, tmp_path) == written(shape, tmp_path)


def test_a_shape_is_a_valid_table_of_a_tenant(shape: Shape, tmp_path: Path) -> None:
    write_tenant(tmp_path, "acme", {"rows": shape.table})
    table = load_tenant(tmp_path, "acme").tables["rows"]
    assert list(table.columns) == list(shape.columns)
    assert table.partition_key == shape.partition_key


def test_partitions_of_a_hundred_lie_together(tmp_path: Path) -> None:
    rows = written(SHAPES["hundred"], tmp_path)
    assert set(Counter(row["a"] for row in rows).values()) == {100}
    assert sum(before["a"] != after["a"] for before, after in pairwise(rows)) == ROWS // 100 - 1
    assert SHAPES["hundred"].columns == COLUMNS


def test_wide_rows_have_sixty_columns_and_texts_are_of_4_kib_and_differ(tmp_path: Path) -> None:
    assert len(SHAPES["wide"].columns) == 60
    texts = written(SHAPES["text"], tmp_path, 100)
    assert {len(row[name]) for row in texts for name in ("body", "remark")} == {CELL_CHARACTERS}
    assert len({row["body"] for row in texts}) == 100


@pytest.mark.parametrize(
    ("name", "rows"), [("one", 1_000_000), ("hundred", 1_000_000), ("wide", 250_000), ("text", 50_000)]
)
def test_large_rows_are_written_more_rarely(name: str, rows: int) -> None:
    assert SHAPES[name].rows(1_000_000) == rows
    assert SHAPES[name].rows(1) == 1
