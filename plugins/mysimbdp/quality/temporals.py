"""Dates, times, timestamps and durations: the forms that are accepted, and what is refused."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from mysimbdp.errors import Code
from mysimbdp.quality.refusals import Refused, wrong
from mysimbdp.tenants.cqltypes import ScalarType

MAX_CHARACTERS = 200
_DATE = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?")
_FAR_YEAR = re.compile(r"(?:[+-][0-9]{4,}|[0-9]{5,}|0000)-[0-9]{1,2}-[0-9]{1,2}(?:[T ].*)?")
_DURATION = re.compile(
    r"-?(?=[0-9])(?:(?P<years>[0-9]+)y)?(?:(?P<months>[0-9]+)mo)?(?:(?P<weeks>[0-9]+)w)?(?:(?P<days>[0-9]+)d)?"
    r"(?:(?P<hours>[0-9]+)h)?(?:(?P<minutes>[0-9]+)m)?(?:(?P<seconds>[0-9]+)s)?"
    r"(?:(?P<millis>[0-9]+)ms)?(?:(?P<micros>[0-9]+)[uµ]s)?(?:(?P<nanos>[0-9]+)ns)?",
    re.IGNORECASE,
)
_ISO_DURATION = re.compile(
    r"-?P(?=[0-9T])(?:(?P<years>[0-9]+)Y)?(?:(?P<months>[0-9]+)M)?(?:(?P<weeks>[0-9]+)W)?(?:(?P<days>[0-9]+)D)?"
    r"(?:T(?=[0-9])(?:(?P<hours>[0-9]+)H)?(?:(?P<minutes>[0-9]+)M)?"
    r"(?:(?P<seconds>[0-9]+)(?:\.(?P<fraction>[0-9]{1,9}))?S)?)?"
)
_CLOCK = {"hours": 3600 * 10**9, "minutes": 60 * 10**9, "seconds": 10**9, "millis": 10**6, "micros": 10**3, "nanos": 1}
_MOMENT = "a time like 2018-01-07T23:59:59.123Z"
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def _no_far_year(text: str) -> None:
    if _FAR_YEAR.fullmatch(text):
        raise Refused(Code.VALUE_OUT_OF_RANGE, "years from 0001 to 9999 are taken")


def date(value: Any, cql: ScalarType) -> dt.date:
    """Year first: 2018-01-07 or 2018/1/7; a time at midnight may follow. Other orders are ambiguous."""
    if not isinstance(value, str):
        raise wrong(cql, "a date")
    _no_far_year(value)
    found = _DATE.fullmatch(value)
    if not found:
        try:
            moment = dt.datetime.fromisoformat(value)
        except ValueError:
            raise wrong(cql, "a date like 2018-01-07") from None
        if moment.time() != dt.time():
            raise wrong(cql, "a date: it has a time of day")
        return moment.date()
    try:
        return dt.date(*(int(part) for part in found.groups()))
    except ValueError:
        raise Refused(Code.VALUE_OUT_OF_RANGE, "there is no such day") from None


def time(value: Any, cql: ScalarType) -> int:
    """Nanoseconds since midnight."""
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise wrong(cql, "a time of day like 23:59:59.123")
    hour, minute, second = (int(part or 0) for part in found.group(1, 2, 3))
    if hour > 23 or minute > 59 or second > 59:
        raise Refused(Code.VALUE_OUT_OF_RANGE, "there is no such time of day")
    return ((hour * 60 + minute) * 60 + second) * 10**9 + int((found[4] or "0").ljust(9, "0"))


def timestamp(value: Any, cql: ScalarType) -> int:
    """Milliseconds since the epoch; without a zone it is UTC, digits after the millisecond are dropped."""
    found = None
    if isinstance(value, str):
        _no_far_year(value)
        found = _DATE.match(value)
    if not found:
        raise wrong(cql, _MOMENT)
    try:
        day = dt.date(*(int(part) for part in found.groups()))
        moment = dt.datetime.fromisoformat(f"{day.isoformat()}{value[found.end() :]}")
    except ValueError:
        raise wrong(cql, _MOMENT) from None
    if not moment.tzinfo:
        moment = moment.replace(tzinfo=dt.UTC)
    return (moment - _EPOCH) // dt.timedelta(milliseconds=1)


def duration(value: Any, cql: ScalarType) -> tuple[int, int, int]:
    """Months, days, nanoseconds: 1y2mo3w4d5h6m7s8ms9us10ns as in CQL, or P1Y2M4DT5H6M7.5S; one sign before it all."""
    if isinstance(value, tuple) and len(value) == 3:
        numbers = value
    elif isinstance(value, dt.timedelta):
        seconds = value.days * 86_400 + value.seconds
        numbers = (0, 0, seconds * 10**9 + value.microseconds * 1000 + getattr(value, "nanoseconds", 0))
    else:
        numbers = _duration_parts(value, cql)
    if min(numbers) < 0 < max(numbers):
        raise Refused(Code.VALUE_OUT_OF_RANGE, "months, days and nanoseconds have different signs")
    if any(abs(number) >> bits for number, bits in zip(numbers, (31, 31, 63), strict=True)):
        raise Refused(Code.VALUE_OUT_OF_RANGE, "a duration holds 2^31 - 1 months and days and 2^63 - 1 nanoseconds")
    return numbers[0], numbers[1], numbers[2]


def _duration_parts(value: Any, cql: ScalarType) -> tuple[int, int, int]:
    found = None
    if isinstance(value, str) and len(value) <= MAX_CHARACTERS:
        found = _DURATION.fullmatch(value) or _ISO_DURATION.fullmatch(value)
    if found is None:
        raise wrong(cql, "a duration like 1mo2d3h or P1M2DT3H")
    given = found.groupdict(default="0")
    sign = -1 if value.startswith("-") else 1
    clock = sum(int(given.get(unit, "0")) * size for unit, size in _CLOCK.items())
    fraction = int(given.get("fraction", "0").ljust(9, "0"))
    months = int(given["years"]) * 12 + int(given["months"])
    return sign * months, sign * (int(given["weeks"]) * 7 + int(given["days"])), sign * (clock + fraction)
