"""One value at a time: the forms each column type accepts, and why a value is refused.

Used for the values that Arrow's vector casts do not take; what is accepted here is the definition.
"""

from __future__ import annotations

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
from mysimbdp.quality.refusals import Refused, wrong
from mysimbdp.quality.temporals import date, duration, time, timestamp
from mysimbdp.tenants.cqltypes import ScalarType

MAX_DIGITS = 1000
_WHOLE = re.compile(r"[+-]?[0-9]+")
_REAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SPECIAL = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_HEX = re.compile(r"0x((?:[0-9a-fA-F]{2})*)")
_BITS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
_TRUE = {"true", "t", "yes", "y", "1"}
_FALSE = {"false", "f", "no", "n", "0"}


def scalar(value: Any, cql: ScalarType) -> Any:
    """Return `value` (text, or a native value of an app's own types) as the Python value of `cql`'s Arrow type.

    Raises:
        Refused: VALUE_WRONG_TYPE or VALUE_OUT_OF_RANGE.
    """
    if isinstance(value, str) and cql not in ("text", "ascii"):
        value = value.strip()
    return _BY_TYPE[cql](value, cql)


def _whole(value: Any, cql: ScalarType) -> int:
    """Whole numbers; 5.0 and 5e3 are whole too, since many exports write them so."""
    if isinstance(value, bool) or value is None:
        raise wrong(cql, "a whole number")
    if isinstance(value, int):
        return value
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        if len(value) > MAX_DIGITS:
            raise Refused(Code.VALUE_OUT_OF_RANGE, f"it has more than {MAX_DIGITS} digits")
        return int(value)
    number = _exact(value, cql, "a whole number")
    if number != number.to_integral_value():
        raise wrong(cql, "a whole number")
    return int(number)


def _int(value: Any, cql: ScalarType) -> int:
    number = _whole(value, cql)
    limit = 1 << (_BITS[cql] - 1)
    if not -limit <= number < limit:
        raise Refused(Code.VALUE_OUT_OF_RANGE, f"{cql} holds {-limit} to {limit - 1}")
    return number


def _varint(value: Any, cql: ScalarType) -> str:
    return str(_whole(value, cql))


def _exact(value: Any, cql: ScalarType, wanted: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise wrong(cql, wanted)
    text = value if isinstance(value, str) else str(value)
    if not _REAL.fullmatch(text):
        raise wrong(cql, wanted)
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise Refused(Code.VALUE_OUT_OF_RANGE, "its exponent is too large") from None
    if len(number.as_tuple().digits) > MAX_DIGITS or abs(number.adjusted()) > MAX_DIGITS:
        raise Refused(Code.VALUE_OUT_OF_RANGE, f"it has more than {MAX_DIGITS} digits")
    return number


def _decimal(value: Any, cql: ScalarType) -> str:
    number = _exact(value, cql, "a number")
    return str(number.copy_abs() if number.is_zero() else number)  # Cassandra knows no -0


def _real(value: Any, cql: ScalarType) -> float:
    if isinstance(value, str) and not (_REAL.fullmatch(value) or _SPECIAL.fullmatch(value)):
        raise wrong(cql, "a number")
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise wrong(cql, "a number")
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


def _boolean(value: Any, cql: ScalarType) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).lower() if isinstance(value, (str, int)) else ""
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise wrong(cql, "true or false")


def _uuid(value: Any, cql: ScalarType) -> str:
    try:
        found = uuid.UUID(bytes=value) if isinstance(value, bytes) else uuid.UUID(value)
    except (ValueError, AttributeError, TypeError):
        raise wrong(cql, "a UUID") from None
    if cql == "timeuuid" and found.version != 1:
        raise wrong(cql, "a UUID of version 1")
    return str(found)


def _inet(value: Any, cql: ScalarType) -> str:
    try:
        address = ipaddress.ip_address(value if isinstance(value, str) else "")
    except ValueError:
        raise wrong(cql, "an IP address") from None
    # as Cassandra itself writes it within a set or map
    return str(getattr(address, "ipv4_mapped", None) or address)


def _blob(value: Any, cql: ScalarType) -> bytes:
    """Bytes as they are; as text, hexadecimal after 0x as in CQL."""
    if isinstance(value, bytes):
        return value
    found = _HEX.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise wrong(cql, "hexadecimal after 0x")
    return bytes.fromhex(found[1])


def _text(value: Any, cql: ScalarType) -> str:
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, (dict, list)):
        value = json.dumps(value, ensure_ascii=False, default=str)
    elif isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            raise wrong(cql, "text: its bytes are not UTF-8") from None
    text = str(value)
    if cql == "ascii" and not text.isascii():
        raise wrong(cql, "plain ASCII")
    return text


_BY_TYPE: dict[ScalarType, Callable[[Any, ScalarType], Any]] = {
    "ascii": _text, "text": _text, "inet": _inet, "uuid": _uuid, "timeuuid": _uuid, "varint": _varint,
    "decimal": _decimal, "tinyint": _int, "smallint": _int, "int": _int, "bigint": _int, "float": _real,
    "double": _real, "boolean": _boolean, "date": date, "time": time, "timestamp": timestamp,
    "duration": duration, "blob": _blob,
}  # fmt: skip
