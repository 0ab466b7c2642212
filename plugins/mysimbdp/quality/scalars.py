"""One value at a time: the forms each column type accepts, and why a value is refused.

Used for the values that Arrow's vector casts do not take; what is accepted here is the definition.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import math
import re
import struct
import uuid
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from mysimbdp.errors import Code
from mysimbdp.tenants.model import CqlType

MAX_DIGITS = 1000
_WHOLE = re.compile(r"[+-]?[0-9]+")
_REAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SPECIAL = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_DATE = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?")
_HEX = re.compile(r"0x((?:[0-9a-fA-F]{2})*)")
_BITS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
_TRUE = {"true", "t", "yes", "y", "1"}
_FALSE = {"false", "f", "no", "n", "0"}
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Refused(Exception):  # noqa: N818  # a verdict on a value, not an error of the program
    """The value does not become one of the column's type."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def scalar(value: Any, cql: CqlType) -> Any:
    """Return `value` (text, or a native value of an app's own types) as the Python value of `cql`'s Arrow type.

    Raises:
        Refused: VALUE_WRONG_TYPE or VALUE_OUT_OF_RANGE.
    """
    if isinstance(value, str) and cql not in ("text", "ascii"):
        value = value.strip()
    return _BY_TYPE[cql](value, cql)


def _wrong(cql: CqlType, wanted: str) -> Refused:
    return Refused(Code.VALUE_WRONG_TYPE, f"it is not {wanted} ({cql})")


def _whole(value: Any, cql: CqlType) -> int:
    """Whole numbers; 5.0 and 5e3 are whole too, since many exports write them so."""
    if isinstance(value, bool) or value is None:
        raise _wrong(cql, "a whole number")
    if isinstance(value, int):
        return value
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        if len(value) > MAX_DIGITS:
            raise Refused(Code.VALUE_OUT_OF_RANGE, f"it has more than {MAX_DIGITS} digits")
        return int(value)
    number = _exact(value, cql, "a whole number")
    if number != number.to_integral_value():
        raise _wrong(cql, "a whole number")
    return int(number)


def _int(value: Any, cql: CqlType) -> int:
    number = _whole(value, cql)
    limit = 1 << (_BITS[cql] - 1)
    if not -limit <= number < limit:
        raise Refused(Code.VALUE_OUT_OF_RANGE, f"{cql} holds {-limit} to {limit - 1}")
    return number


def _varint(value: Any, cql: CqlType) -> str:
    return str(_whole(value, cql))


def _exact(value: Any, cql: CqlType, wanted: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise _wrong(cql, wanted)
    text = value if isinstance(value, str) else str(value)
    if not _REAL.fullmatch(text):
        raise _wrong(cql, wanted)
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise Refused(Code.VALUE_OUT_OF_RANGE, "its exponent is too large") from None
    if len(number.as_tuple().digits) > MAX_DIGITS or abs(number.adjusted()) > MAX_DIGITS:
        raise Refused(Code.VALUE_OUT_OF_RANGE, f"it has more than {MAX_DIGITS} digits")
    return number


def _decimal(value: Any, cql: CqlType) -> str:
    number = _exact(value, cql, "a number")
    return str(number.copy_abs() if number.is_zero() else number)  # Cassandra knows no -0


def _real(value: Any, cql: CqlType) -> float:
    if isinstance(value, str) and not (_REAL.fullmatch(value) or _SPECIAL.fullmatch(value)):
        raise _wrong(cql, "a number")
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise _wrong(cql, "a number")
    try:
        number = float(value)
    except OverflowError:
        raise Refused(Code.VALUE_OUT_OF_RANGE, f"it is larger than a {cql} holds") from None
    meant = isinstance(value, str) and _SPECIAL.fullmatch(value)
    if math.isinf(number) and not meant and not isinstance(value, float):
        raise Refused(Code.VALUE_OUT_OF_RANGE, f"it is larger than a {cql} holds")
    if cql == "float" and math.isfinite(number):
        try:
            struct.pack("<f", number)
        except OverflowError:
            raise Refused(Code.VALUE_OUT_OF_RANGE, "it is larger than a float holds") from None
    return number


def _boolean(value: Any, cql: CqlType) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).lower() if isinstance(value, (str, int)) else ""
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise _wrong(cql, "true or false")


def _date(value: Any, cql: CqlType) -> dt.date:
    """Year first: 2018-01-07 or 2018/1/7; a time at midnight may follow. Other orders are ambiguous."""
    if isinstance(value, dt.datetime):
        if value.timetz().replace(tzinfo=None) != dt.time():
            raise _wrong(cql, "a date: it has a time of day")
        return value.date()
    if isinstance(value, dt.date):
        return value
    if not isinstance(value, str):
        raise _wrong(cql, "a date")
    found = _DATE.fullmatch(value)
    if not found:
        try:
            return _date(dt.datetime.fromisoformat(value), cql)
        except ValueError:
            raise _wrong(cql, "a date like 2018-01-07") from None
    try:
        return dt.date(*(int(part) for part in found.groups()))
    except ValueError:
        raise Refused(Code.VALUE_OUT_OF_RANGE, "there is no such day") from None


def _time(value: Any, cql: CqlType) -> int:
    """Nanoseconds since midnight."""
    if isinstance(value, dt.time):
        return ((value.hour * 60 + value.minute) * 60 + value.second) * 10**9 + value.microsecond * 1000
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise _wrong(cql, "a time of day like 23:59:59.123")
    hour, minute, second = (int(part or 0) for part in found.group(1, 2, 3))
    if hour > 23 or minute > 59 or second > 59:
        raise Refused(Code.VALUE_OUT_OF_RANGE, "there is no such time of day")
    return ((hour * 60 + minute) * 60 + second) * 10**9 + int((found[4] or "0").ljust(9, "0"))


def _timestamp(value: Any, cql: CqlType) -> int:
    """Milliseconds since the epoch; without a zone it is UTC, digits after the millisecond are dropped."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC)
    if isinstance(value, str):
        found = _DATE.match(value)
        try:
            if found:
                day = dt.date(*(int(part) for part in found.groups()))
                value = f"{day.isoformat()}{value[found.end() :]}"
            value = dt.datetime.fromisoformat(value) if found else None
        except ValueError:
            value = None
    if not isinstance(value, dt.datetime):
        raise _wrong(cql, "a time like 2018-01-07T23:59:59.123Z")
    moment = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
    return (moment - _EPOCH) // dt.timedelta(milliseconds=1)


def _uuid(value: Any, cql: CqlType) -> str:
    try:
        found = uuid.UUID(bytes=value) if isinstance(value, bytes) else uuid.UUID(value)
    except (ValueError, AttributeError, TypeError):
        raise _wrong(cql, "a UUID") from None
    if cql == "timeuuid" and found.version != 1:
        raise _wrong(cql, "a UUID of version 1")
    return str(found)


def _inet(value: Any, cql: CqlType) -> str:
    try:
        return str(ipaddress.ip_address(value if isinstance(value, str) else ""))
    except ValueError:
        raise _wrong(cql, "an IP address") from None


def _blob(value: Any, cql: CqlType) -> bytes:
    """Bytes as they are; as text, hexadecimal after 0x as in CQL."""
    if isinstance(value, bytes):
        return value
    found = _HEX.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise _wrong(cql, "hexadecimal after 0x")
    return bytes.fromhex(found[1])


def _text(value: Any, cql: CqlType) -> str:
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, (dict, list)):
        value = json.dumps(value, ensure_ascii=False, default=str)
    elif isinstance(value, (dt.date, dt.time)):
        value = value.isoformat()
    elif isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            raise _wrong(cql, "text: its bytes are not UTF-8") from None
    text = str(value)
    if cql == "ascii" and not text.isascii():
        raise _wrong(cql, "plain ASCII")
    return text


_BY_TYPE: dict[CqlType, Callable[[Any, CqlType], Any]] = {
    "ascii": _text, "text": _text, "inet": _inet, "uuid": _uuid, "timeuuid": _uuid, "varint": _varint,
    "decimal": _decimal, "tinyint": _int, "smallint": _int, "int": _int, "bigint": _int, "float": _real,
    "double": _real, "boolean": _boolean, "date": _date, "time": _time, "timestamp": _timestamp, "blob": _blob,
}  # fmt: skip
