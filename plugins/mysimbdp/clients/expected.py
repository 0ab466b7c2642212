"""Which rows the sample files must become, worked out with pandas alone: none of the platform's readers has a say."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from mysimbdp.errors import Code, Problem, TerminalError

SIZES = {"k": 1_000, "M": 1_000_000, "G": 1_000_000_000}
Row = dict[str, Any]


def expected_rows(tenant: str, files: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Return table → rows (Python values, None for missing) that `files` of a sample tenant must become.

    The columns are the table's own; a table without natural key has `_file` (sha256, hex), `_bucket` (thousands of
    records) and `_record` too.

    Raises:
        TerminalError: NO_TABLE_FOR_FILE for a file that is none of the samples.
    """
    tables: dict[str, list[pd.DataFrame]] = {}
    for file in files:
        table, make = _maker(tenant, file)
        tables.setdefault(table, []).append(make(file))
    return {table: pd.concat(frames, ignore_index=True) for table, frames in tables.items()}


def differences(expected: pd.DataFrame, found: Iterable[Mapping[str, Any]], key: Sequence[str]) -> list[str]:
    """Return what is wrong with `found`, the rows of the table as the driver gives them: [] when nothing is.

    Each row and each value of `expected` is compared exactly; rows that nobody expects are named too. Columns that are
    not in `expected` (lineage) are not looked at.
    """
    rows = {tuple(_plain(row[name]) for name in key): row for row in found}
    wrong = []
    for row in _rows(expected):
        where = tuple(_plain(row[name]) for name in key)
        there = rows.pop(where, None)
        if there is None:
            wrong.append(f"{where} is missing")
            continue
        for name, value in row.items():
            if _plain(value) != _plain(there[str(name)]):
                wrong.append(f"{where}: {name} is {there[str(name)]!r}, not {value!r}")
    return wrong + [f"{where} is not expected" for where in rows]


def _rows(frame: pd.DataFrame) -> Iterable[Row]:
    names = list(frame.columns)
    return (dict(zip(names, values, strict=True)) for values in frame.itertuples(index=False, name=None))


def _plain(value: Any) -> Any:
    """One form for the ways a driver gives a value: dates, times and UUIDs of its own, NaN for missing."""
    if value is None or value is pd.NaT or (isinstance(value, float) and value != value):  # noqa: PLR0124  # NaN
        return None
    if isinstance(value, dt.datetime):
        return value
    if hasattr(value, "date") and callable(value.date):  # cassandra.util.Date
        return value.date()
    return value


def _maker(tenant: str, file: Path) -> tuple[str, Callable[[Path], pd.DataFrame]]:
    name = file.name.lower()
    if tenant == "playstore" and name.endswith(".csv"):
        return "apps", _apps
    if tenant == "atlas":
        for word, maker in (("airports", _airports), ("weather", _weather), ("cars", _cars)):
            if word in name:
                return ("seattle_weather" if word == "weather" else word), maker
    raise TerminalError(Problem(Code.NO_TABLE_FOR_FILE, "it is none of the sample files", file=file.name))


def _objects(frame: pd.DataFrame) -> pd.DataFrame:
    """Python values in every cell, None where there is none."""
    plain = frame.astype(object)
    return plain.where(frame.notna(), None)


def _airports(file: Path) -> pd.DataFrame:
    return _objects(pd.read_csv(file, keep_default_na=False, na_values={"latitude": [""], "longitude": [""]}))


def _weather(file: Path) -> pd.DataFrame:
    frame = pd.read_csv(file, parse_dates=["date"]).rename(columns={"date": "day"})
    out = _objects(frame)
    out["day"] = [day.date() for day in frame["day"]]
    return out


def _cars(file: Path) -> pd.DataFrame:
    frame = pd.read_json(file, dtype=False).rename(columns=str.lower)
    out = _objects(frame)
    out["horsepower"] = [None if pd.isna(value) else int(value) for value in frame["horsepower"]]
    out["year"] = [pd.Timestamp(year).date() for year in frame["year"]]
    out.insert(0, "_file", hashlib.sha256(file.read_bytes()).hexdigest())
    out.insert(1, "_bucket", [number // 1000 for number in range(1, len(out) + 1)])
    out.insert(2, "_record", list(range(1, len(out) + 1)))
    return out


def _apps(file: Path) -> pd.DataFrame:
    """The Play Store rows: what is well formed, in typed form. Ragged records are those without a last field."""
    raw = pd.read_csv(file, dtype=str, keep_default_na=False, na_values=[], on_bad_lines="skip").fillna("")
    rating = pd.to_numeric(raw["Rating"], errors="coerce")
    size = raw["Size"].str.extract(r"^([0-9.]+)([kMG])$")
    day = pd.to_datetime(raw["Last Updated"], format="%B %d, %Y", errors="coerce")
    good = (
        (raw["Android Ver"] != "")
        & ((raw["Rating"] == "NaN") | rating.between(1, 5))
        & raw["Reviews"].str.fullmatch("[0-9]+")
        & (size[0].notna() | (raw["Size"] == "Varies with device"))
        & raw["Installs"].str.fullmatch(r"[0-9,]+\+")
        & raw["Type"].isin(["Free", "Paid"])
        & raw["Price"].str.fullmatch(r"\$?[0-9.]+")
        & day.notna()
    )
    kept = {name: raw.loc[good, name] for name in raw.columns}
    return pd.DataFrame(
        {
            "category": kept["Category"],
            "app": kept["App"],
            "rating": [None if pd.isna(value) else value for value in rating[good]],
            "reviews": [int(value) for value in kept["Reviews"]],
            "size_bytes": [
                None if pd.isna(unit) else int(Decimal(number) * SIZES[unit])
                for number, unit in zip(size.loc[good, 0], size.loc[good, 1], strict=True)
            ],
            "installs_min": [int(value.rstrip("+").replace(",", "")) for value in kept["Installs"]],
            "type": kept["Type"].str.lower(),
            "price_usd": [Decimal(value.lstrip("$")) for value in kept["Price"]],
            "content_rating": kept["Content Rating"],
            "genres": kept["Genres"],
            "last_updated": [value.date() for value in day[good]],
            "current_version": kept["Current Ver"],
            "android_version": kept["Android Ver"],
        },
        dtype=object,
    ).reset_index(drop=True)
