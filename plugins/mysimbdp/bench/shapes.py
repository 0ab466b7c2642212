"""The table shapes that loaders are compared on, and the file of each: plain CSV that every loader reads alike."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mysimbdp.bench.tenants import COLUMNS, event

TABLE = "rows"
PARTITION_ROWS = 100
WIDE_COLUMNS = 60
CELL_CHARACTERS = 4096
_POOL_CHARACTERS = 1 << 20


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of table. `line(n)` is row n of its file; of the rows asked for, one in `one_in` is written.

    Large rows are written more rarely, so that each shape's file stays at some hundred megabytes for a million rows.
    `batch_rows` is how many rows stay below a node's limit for a batch (50 KiB), for loaders that count rows.
    """

    name: str
    title: str
    columns: dict[str, str]
    partition_key: list[str]
    clustering_key: list[str]
    line: Callable[[int], str]
    one_in: int = 1
    batch_rows: int = 32

    @property
    def table(self) -> dict[str, object]:
        """The table as a tenant file declares it."""
        return {
            "columns": self.columns,
            "partition_key": self.partition_key,
            "clustering_key": self.clustering_key,
        }

    def rows(self, asked_for: int) -> int:
        """How many rows its file has when `asked_for` rows are."""
        return max(1, asked_for // self.one_in)

    def write(self, path: Path, rows: int) -> None:
        """Write its file: a header, then `rows` rows."""
        with path.open("w", encoding="utf-8") as out:
            out.write(",".join(self.columns) + "\n")
            out.writelines(map(self.line, range(rows)))


def _one(number: int) -> str:
    return event(number, number % 11)


def _hundred(number: int) -> str:
    return event(number, number // PARTITION_ROWS)


_WIDE: dict[str, str] = {
    "id": "bigint",
    **{f"{'nxt'[n % 3]}{n:02d}": ("int", "double", "text")[n % 3] for n in range(1, WIDE_COLUMNS)},
}


def _wide(number: int) -> str:
    cells = [str(number)]
    for column in range(1, WIDE_COLUMNS):
        value = (number * 31 + column * 7919) % 1_000_003
        cells.append((str(value), f"{value / 7:.6f}", f"text {value}")[column % 3])
    return ",".join(cells) + "\n"


class _Texts:
    """Slices of one long text of made-up words: no two alike, and no easier to compress than prose."""

    def __init__(self) -> None:
        self._pool = ""

    def line(self, number: int) -> str:
        if not self._pool:
            self._pool = _words(_POOL_CHARACTERS)
        last = _POOL_CHARACTERS - CELL_CHARACTERS
        body, remark = ((number * step) % last for step in (7919, 104_729))
        return (
            f"{number},title {number},{self._pool[body : body + CELL_CHARACTERS]},"
            f"{self._pool[remark : remark + CELL_CHARACTERS]}\n"
        )


def _words(length: int) -> str:
    dice = random.Random(4096)  # noqa: S311  # the same file everywhere
    words = ["".join(dice.choices("etaoinshrdlucmfwypvbgkqjxz", k=dice.randint(2, 11))) for _ in range(5000)]
    text = " ".join(dice.choices(words, k=length // 4))
    return text[:length].replace(" ", "_")  # no blank at a cell's end, which some loaders trim


SHAPES: dict[str, Shape] = {
    shape.name: shape
    for shape in (
        Shape("one", "one-row partitions, 14 columns", COLUMNS, ["id"], [], _one),
        Shape("hundred", "100-row partitions, 14 columns", COLUMNS, ["a"], ["id"], _hundred),
        Shape("wide", f"one-row partitions, {WIDE_COLUMNS} columns", _WIDE, ["id"], [], _wide, one_in=4),
        Shape(
            "text",
            "one-row partitions, two texts of 4 KiB",
            {"id": "bigint", "title": "text", "body": "text", "remark": "text"},
            ["id"],
            [],
            _Texts().line,
            one_in=20,
            batch_rows=4,
        ),
    )
}
