"""JSON values as text, without changing a digit: numbers keep the characters they were written with."""

from __future__ import annotations

import json
from typing import Any

MAX_DEPTH = 100


class Number(str):
    """The text of a JSON number: not parsed, so that 1.10 and 2**70 stay what they are."""

    __slots__ = ()


DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=Number)


def text_of(value: Any) -> str | None:
    """Return a scalar as text (null is None, true is `true`), an object or array as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json_of(value)


def json_of(value: Any, depth: int = 0) -> str:
    """Return a decoded value as compact JSON.

    Raises:
        RecursionError: it is nested deeper than 100 levels.
    """
    if depth > MAX_DEPTH:
        raise RecursionError("nested deeper than 100 levels")
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        items = (f"{json.dumps(key, ensure_ascii=False)}:{json_of(item, depth + 1)}" for key, item in value.items())
        return "{" + ",".join(items) + "}"
    if isinstance(value, list):
        return "[" + ",".join(json_of(item, depth + 1) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)
