"""Writes any number of rows shaped like the Google Play apps table: a stream, the same for the same seed."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mysimbdp.clients.playstore_words import (
    ANDROID,
    CATEGORIES,
    CONTENT_RATINGS,
    FIELDS,
    FIRST_WORDS,
    GENRES,
    INSTALLS,
    SECOND_WORDS,
)

RowFormat = Literal["csv", "jsonl"]
_CHUNK_ROWS = 2000
_BITS = 128


@dataclass(frozen=True, slots=True)
class Generated:
    """What was written; `bad_rows` of `rows` are meant to be rejected."""

    rows: int
    bad_rows: int
    bytes: int


def generate(
    path: Path, *, rows: int, seed: int = 0, bad_share: float = 0.0, row_format: RowFormat = "csv"
) -> Generated:
    """Write `rows` rows to `path`; of them about `bad_share` (0 to 1) are malformed in ways seen in real files.

    Every row's App is unique within the file, and so is (Category, App). The file appears under its name only when it
    is whole. The same arguments give the same bytes.

    Raises:
        OSError: `path` cannot be written.
        ValueError: `rows` is negative or `bad_share` not between 0 and 1.
    """
    if rows < 0 or not 0 <= bad_share <= 1:
        raise ValueError("rows must not be negative, bad_share must be between 0 and 1")
    bad_rows = size = 0
    part = path.with_name(f".{path.name[:200]}.part")
    try:
        with part.open("wb") as file:
            for chunk, bad in _chunks(rows, seed, bad_share, row_format):
                size += file.write(chunk.encode())
                bad_rows += bad
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return Generated(rows, bad_rows, size)


def _chunks(rows: int, seed: int, bad_share: float, row_format: RowFormat) -> Iterator[tuple[str, int]]:
    cells = _Cells(row_format)
    bits = random.Random(seed).getrandbits  # noqa: S311  # test data, not secrets
    bad_below = round(bad_share * 0x10000)
    if row_format == "csv":
        yield ",".join(FIELDS) + "\n", 0
    for first in range(0, rows, _CHUNK_ROWS):
        lines, bad = [], 0
        for number in range(first, min(first + _CHUNK_ROWS, rows)):
            # One draw a row; each column takes bits of its own.
            draw = bits(_BITS)
            if draw >> 112 < bad_below:
                bad += 1
                lines.append(cells.bad_row(number, draw))
            else:
                lines.append(cells.row(number, draw))
        yield "".join(lines), bad


class _Cells:
    """Every value a column can have, already written the way the format wants it."""

    def __init__(self, row_format: RowFormat) -> None:
        self._csv = row_format == "csv"
        categories = [category for category, _ in CATEGORIES]
        self._categories = self._encoded(categories)
        # A handful of names need quoting, as real ones do.
        self._words = [self._inner(f"{first} {second}") for first in FIRST_WORDS for second in SECOND_WORDS]
        self._ratings = self._encoded(
            [f"{tenths / 10:.1f}" for tenths in (*range(10, 51), *range(38, 49), *range(40, 48))] + ["NaN"] * 4,
        )
        self._sizes = self._encoded(
            [f"{tenths / 10:.1f}M" for tenths in range(10, 100)]
            + [f"{size}M" for size in range(10, 101)]
            + [f"{size}k" for size in range(11, 1000, 13)]
            + ["Varies with device"] * 8,
        )
        self._installs = self._encoded(INSTALLS)
        prices = [f"${whole}.{cents}" for whole in range(30) for cents in ("49", "99")]
        self._types = [self._joined("Free", "0")] * 12 + [self._joined("Paid", price) for price in prices[:4]]
        self._content = self._encoded(CONTENT_RATINGS)
        self._genres = self._encoded(GENRES)
        start = dt.date(2010, 1, 21)
        days = [start + dt.timedelta(days=offset) for offset in range(5800)]
        self._days = self._encoded([f"{day:%B} {day.day}, {day.year}" for day in days])
        self._versions = self._encoded(
            [f"{major}.{minor}.{patch}" for major in range(1, 9) for minor in range(10) for patch in range(3)]
            + ["Varies with device"] * 8,
        )
        self._android = self._encoded(ANDROID)

    def row(self, number: int, draw: int) -> str:
        """Write row `number` (from 0) with the values `draw` (128 random bits) stands for."""
        words, types, sizes = self._words, self._types, self._sizes
        ratings, installs = self._ratings, self._installs
        app = words[(draw & 0xFFFF) % len(words)]
        kind = (draw >> 16 & 0xFF) % len(self._categories)
        category, genres = self._categories[kind], self._genres[kind]
        rating = ratings[(draw >> 24 & 0xFF) % len(ratings)]
        reviews = (draw >> 32 & 0xFFFFF) >> (draw >> 52 & 0xF)
        size = sizes[(draw >> 56 & 0xFF) % len(sizes)]
        installed = installs[(draw >> 64 & 0xFF) % len(installs)]
        priced = types[draw >> 72 & 0xF]
        content = self._content[(draw >> 76 & 0xF) % len(self._content)]
        day = self._days[(draw >> 88 & 0xFFFF) % len(self._days)]
        version = self._versions[(draw >> 100 & 0xFFF) % len(self._versions)]
        android = self._android[(draw >> 108 & 0xF) % len(self._android)]
        if self._csv:
            return (
                f'"{app} {number}",{category},{rating},{reviews},{size},{installed},{priced},{content},{genres},'
                f"{day},{version},{android}\n"
            )
        return (
            f'{{"App":"{app} {number}","Category":{category},"Rating":{rating},"Reviews":{reviews},"Size":{size},'
            f'"Installs":{installed},{priced},"Content Rating":{content},"Genres":{genres},"Last Updated":{day},'
            f'"Current Ver":{version},"Android Ver":{android}}}\n'
        )

    def bad_row(self, number: int, draw: int) -> str:
        """Write a row that is to be rejected; its fault has been seen in real files."""
        row = self.row(number, draw)
        kind = draw >> 16 & 3
        if not self._csv:
            # Cut off, not an object, or with a value of another column.
            broken = row[: len(row) // 2] if kind == 0 else "[]" if kind == 1 else row.rstrip("\n")
            if kind > 1:
                record = json.loads(row)
                broken = json.dumps({**record, **({"Rating": "19"} if kind == 2 else {"Reviews": "3.0M"})})
            return f"{broken}\n"
        fields = next(csv.reader([row]))
        if kind == 0:  # a field is lost and the rest moves to the left
            del fields[1]
        elif kind == 1:
            fields[2] = "19"
        elif kind == 2:
            fields[3] = "3.0M"
        else:
            fields[10] = "soon"
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(fields)
        return line.getvalue()

    def _encoded(self, values: Sequence[str]) -> list[str]:
        if not self._csv:
            return ["null" if value == "NaN" else json.dumps(value, ensure_ascii=False) for value in values]
        return [f'"{self._inner(value)}"' if set(value) & set(',"') else value for value in values]

    def _inner(self, text: str) -> str:
        """`text` as it stands between the quotes."""
        return text.replace('"', '""') if self._csv else json.dumps(text, ensure_ascii=False)[1:-1]

    def _joined(self, kind: str, price: str) -> str:
        return f"{kind},{price}" if self._csv else f'"Type":"{kind}","Price":"{price}"'
