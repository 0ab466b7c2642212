"""The tenant's own ingestion app: makes typed rows of the Play Store's human-readable ones.

    clean_apps.py FILE        (called by mysimbdp; rows as CSV on stdout, refused rows as JSON lines on descriptor 3)

Plain Python on purpose: an app needs nothing of the platform. It starts in 30 ms, which every small file is glad of.
"""

import csv
import json
import os
import re
import sys
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

COLUMNS = [
    "app", "category", "rating", "reviews", "size_bytes", "installs_min", "type", "price_usd", "content_rating",
    "genres", "last_updated", "current_version", "android_version", "_source", "_line",
]  # fmt: skip
FIELDS = [
    "App", "Category", "Rating", "Reviews", "Size", "Installs", "Type", "Price", "Content Rating", "Genres",
    "Last Updated", "Current Ver", "Android Ver",
]  # fmt: skip
BAD_DATA = 65
UNITS = {"k": 1_000, "M": 1_000_000, "G": 1_000_000_000}


class BadValueError(Exception):
    """A value this app does not take."""


@lru_cache(maxsize=4096)
def rating(text):
    if text in ("", "NaN"):
        return ""
    try:
        number = float(text)
    except ValueError:
        raise BadValueError("a rating is a number") from None
    if not 1 <= number <= 5:
        raise BadValueError("a rating is between 1 and 5")
    return text


def reviews(text):
    if not (text.isascii() and text.isdigit()):
        raise BadValueError("the number of reviews is a whole number")
    return text


@lru_cache(maxsize=65536)
def size(text):
    """19M, 201k, 1.5G; "Varies with device" is unknown."""
    if text in ("", "Varies with device"):
        return ""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([kMG])", text)
    if not found:
        raise BadValueError("a size is written like 19M or 201k")
    return str(int(Decimal(found[1]) * UNITS[found[2]]))


@lru_cache(maxsize=1024)
def installs(text):
    """10,000+ is at least ten thousand."""
    digits = text.removesuffix("+").replace(",", "")
    if not (digits.isascii() and digits.isdigit()):
        raise BadValueError("installs are written like 10,000+")
    return digits


@lru_cache(maxsize=4096)
def price(text):
    digits = text.removeprefix("$")
    if not re.fullmatch(r"[0-9]+(?:\.[0-9]{1,2})?", digits):
        raise BadValueError("a price is written like $4.99")
    return digits


@lru_cache(maxsize=65536)
def day(text):
    try:
        return datetime.strptime(text, "%B %d, %Y").date().isoformat()  # noqa: DTZ007  # a day has no zone
    except ValueError:
        raise BadValueError("a date is written like January 7, 2018") from None


@lru_cache(maxsize=256)
def kind(text):
    if text not in ("Free", "Paid"):
        raise BadValueError("a type is Free or Paid")
    return text.lower()


def category(text):
    if not text:
        raise BadValueError("there is no category")
    return text


def name(text):
    if not text.strip():
        raise BadValueError("there is no app name")
    return text


def plain(text):
    return "" if text == "NaN" else text


CLEAN = [name, category, rating, reviews, size, installs, kind, price, plain, plain, day, plain, plain]


class Refusals:
    """Descriptor 3, where the platform listens; without it (started by hand) stderr."""

    def __init__(self):
        number = os.environ.get("MYSIMBDP_REPORT_FD")
        self.file = os.fdopen(int(number), "w", encoding="utf-8", closefd=False) if number else sys.stderr

    def say(self, **event):
        self.file.write(json.dumps(event) + "\n")

    def file_rejected(self, code, reason, **where):
        self.say(event="file_rejected", code=code, reason=reason, **where)
        self.file.flush()
        return BAD_DATA


def csv_records(file, refusals):
    """Yield (number, line, values in the order of FIELDS)."""
    reader = csv.reader(file)
    header = next(reader, None)
    if header is None:
        raise SystemExit(refusals.file_rejected("FILE_EMPTY", "there is nothing in the file"))
    missing = [field for field in FIELDS if field not in header]
    if missing:
        reason = f"the header has no column {missing[0]!r}"
        raise SystemExit(refusals.file_rejected("HEADER_MISSING_COLUMN", reason, line=1, column=missing[0]))
    positions = [header.index(field) for field in FIELDS]
    straight = positions == list(range(len(header)))
    number, begin = 0, reader.line_num + 1
    for record in reader:
        line, begin = begin, reader.line_num + 1
        if not record:
            continue
        number += 1
        if len(record) != len(header):
            reason = f"the record has {len(record)} fields, the header {len(header)}"
            refusals.say(event="row_rejected", source=number, line=line, code="ROW_RAGGED", reason=reason,
                         value=",".join(record)[:200])  # fmt: skip
            continue
        yield number, line, record if straight else [record[position] for position in positions]
    if not number:
        raise SystemExit(refusals.file_rejected("FILE_NO_ROWS", "there is a header and no record below it"))


def json_records(file, refusals):
    """Yield (number, line, values in the order of FIELDS)."""
    number = 0
    for line, text in enumerate(file, start=1):
        if not text.strip():
            continue
        number += 1
        try:
            record = json.loads(text)
            values = ["" if record.get(field) is None else str(record[field]) for field in FIELDS]
        except (ValueError, AttributeError):
            refusals.say(event="row_rejected", source=number, line=line, code="ROW_MALFORMED",
                         reason="the line is not a JSON object", value=text[:200])  # fmt: skip
            continue
        yield number, line, values
    if not number:
        raise SystemExit(refusals.file_rejected("FILE_EMPTY", "there is nothing in the file"))


def main():
    refusals = Refusals()
    records = json_records if os.environ.get("MYSIMBDP_FORMAT") == "jsonl" else csv_records
    sys.stdout.reconfigure(encoding="utf-8", newline="")
    write = csv.writer(sys.stdout, lineterminator="\n").writerow
    write(COLUMNS)
    pairs = list(enumerate(CLEAN))
    try:
        with Path(sys.argv[1]).open(encoding="utf-8-sig", newline="") as file:
            for number, line, values in records(file, refusals):
                index = 0
                try:
                    row = []
                    for index, clean in pairs:
                        row.append(clean(values[index]))
                except BadValueError as bad:
                    refusals.say(event="row_rejected", source=number, line=line, column=FIELDS[index],
                                 value=values[index][:200], reason=str(bad))  # fmt: skip
                    continue
                row.append(number)
                row.append(line)
                write(row)
    except UnicodeDecodeError as error:
        return refusals.file_rejected("ENCODING_INVALID", f"the file is not UTF-8: {error.reason}")
    except csv.Error as error:
        return refusals.file_rejected("STRUCTURE_INVALID", f"the file is not CSV: {error}")
    finally:
        refusals.file.flush()
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
