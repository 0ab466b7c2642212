"""Guesses columns and their CQL types from the beginning of a sample file (csv, txt, json, jsonl)."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from mysimbdp.errors import Code, Problem, TerminalError
from mysimbdp.tenants.cqltypes import ScalarType
from mysimbdp.tenants.model import FileFormat

SAMPLE_BYTES = 1024 * 1024
SAMPLE_RECORDS = 1000
_LONGEST_NAME = 48


@dataclass(frozen=True, slots=True)
class Guess:
    """One column: its name in coredms, its name in the file, its likely type, and whether no value repeats."""

    name: str
    field: str
    type: ScalarType
    distinct: bool


def infer(path: Path) -> tuple[FileFormat, list[Guess]]:
    """The format (by the file's name) and the columns of a sample.

    Raises:
        TerminalError: FILE_UNREADABLE, FORMAT_NOT_ALLOWED (neither csv, txt, json nor jsonl), STRUCTURE_INVALID.
    """
    kind = path.suffix.lower().lstrip(".")
    try:
        with path.open("rb") as file:
            text = file.read(SAMPLE_BYTES).decode("utf-8-sig", "replace")
    except OSError as error:
        raise TerminalError(Problem(Code.FILE_UNREADABLE, f"{error.strerror}", str(path))) from error
    records: list[Mapping[str, Any]]
    match kind:
        case "csv" | "txt":
            records = _delimited(text, "," if kind == "csv" else None)
        case "json" | "jsonl":
            records = _json(text)
        case _:
            what = "columns can be guessed from csv, txt, json and jsonl files only"
            raise TerminalError(Problem(Code.FORMAT_NOT_ALLOWED, what, str(path)))
    if not records:
        raise TerminalError(Problem(Code.STRUCTURE_INVALID, "no record with named fields was found", str(path)))
    return kind, _guesses(records)


def _delimited(text: str, delimiter: str | None) -> list[Mapping[str, Any]]:
    if delimiter is None:
        delimiter = max("\t;|,", key=text.partition("\n")[0].count)
    whole = text if len(text) < SAMPLE_BYTES else text.rpartition("\n")[0]
    reader = csv.DictReader(io.StringIO(whole, newline=""), delimiter=delimiter, restkey="")
    try:
        return [{k: v for k, v in row.items() if k} for row in islice(reader, SAMPLE_RECORDS)]
    except csv.Error:
        return []


def _json(text: str) -> list[Mapping[str, Any]]:
    """Objects of an array or of lines; reads as far as the sample goes."""
    decoder = json.JSONDecoder()
    found: list[Mapping[str, Any]] = []
    place = text.find("{")
    while place != -1 and len(found) < SAMPLE_RECORDS:
        try:
            value, end = decoder.raw_decode(text, place)
        except ValueError:
            break
        found.append(value)
        place = text.find("{", end)
    return found


def _guesses(records: list[Mapping[str, Any]]) -> list[Guess]:
    fields = list(dict.fromkeys(field for record in records for field in record))
    guesses: list[Guess] = []
    for field in fields:
        values = [_text(record.get(field)) for record in records]
        given = [value for value in values if value]
        distinct = len(given) == len(records) == len(set(given))
        name = column_name(field, {guess.name for guess in guesses})
        guesses.append(Guess(name, field, _type(given), distinct))
    return guesses


def column_name(field: str, taken: Iterable[str]) -> str:
    """`field` as a valid column name that is not among `taken`."""
    name = re.sub(r"[^a-z0-9]+", "_", field.lower()).strip("_")[:_LONGEST_NAME] or "column"
    if not name[0].isalpha():
        name = f"c_{name}"[:_LONGEST_NAME]
    used, plain, number = set(taken), name, 2
    while name in used:
        name = f"{plain[: _LONGEST_NAME - 4]}_{number}"
        number += 1
    return name


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.strip() if isinstance(value, str) else json.dumps(value)


def _type(values: list[str]) -> ScalarType:
    """The narrowest type that all values have; text where there is none, or no value at all."""
    for cql, fits in _NARROW_FIRST:
        if values and all(fits(value) for value in values):
            return cql
    return "text"


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def fits(value: str) -> bool:
        try:
            parse(value)
        except ValueError:
            return False
        return True

    return fits


def _is_bigint(value: str) -> bool:
    # a leading zero is a postal code or an article number: text
    return re.fullmatch(r"-?(0|[1-9]\d{0,18})", value) is not None and -(2**63) <= int(value) < 2**63


def _is_double(value: str) -> bool:
    return re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d{1,3})?", value) is not None


_NARROW_FIRST: tuple[tuple[ScalarType, Callable[[str], bool]], ...] = (
    ("boolean", lambda value: value.lower() in ("true", "false")),
    ("bigint", _is_bigint),
    ("double", _is_double),
    ("date", lambda value: len(value) == 10 and _parses(date.fromisoformat)(value)),
    ("timestamp", lambda value: len(value) > 10 and _parses(datetime.fromisoformat)(value)),
    ("uuid", lambda value: len(value) == 36 and _parses(UUID)(value)),
)
