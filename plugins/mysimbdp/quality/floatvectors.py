"""Vectors of plain numbers at once: they are long, and one by one would cost a microsecond and a half an element."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any

from mysimbdp.formats.jsontext import Number
from mysimbdp.tenants.cqltypes import CqlType

_CODES = {"float": "f", "double": "d"}
_PLAIN = {float, int, Number}


def float_vector(values: Sequence[Any], element: CqlType) -> bytes | None:
    """The serialised elements; None where they need a closer look: another type, a text, an infinity, too large."""
    if not isinstance(element, str) or element not in _CODES or not set(map(type, values)) <= _PLAIN:
        return None
    try:
        numbers = list(map(float, values))
        packed = struct.pack(f">{len(numbers)}{_CODES[element]}", *numbers)
    except OverflowError:
        return None
    return None if math.inf in numbers or -math.inf in numbers else packed
