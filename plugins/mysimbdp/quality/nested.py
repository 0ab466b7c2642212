"""One nested value at a time: JSON text, or what an app's own types look like in Python, becomes Cassandra's bytes.

What is within is held to the same rules as a column of its type (scalars.py); a reason begins with the place of the
fault within the value.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from mysimbdp.coredms.cells import list_cell, map_cell, scalar_cell, tuple_cell, vector_cell
from mysimbdp.errors import Code
from mysimbdp.formats.jsontext import DECODER
from mysimbdp.quality.floatvectors import float_vector
from mysimbdp.quality.refusals import Refused
from mysimbdp.quality.scalars import scalar
from mysimbdp.tenants.cqltypes import CqlType, Kind, NestedType

EXAMPLES: dict[Kind, str] = {
    "list": '["a", "b"]',
    "set": '["a", "b"]',
    "vector": "[0.5, 1]",
    "tuple": '[1, "a"]',
    "map": '{"key": 1} or [["key", 1]]',
    "user": '{"field": 1}',
}
"""JSON of each kind."""


def nested_from_text(text: str, cql: NestedType) -> bytes | None:
    """The bytes of the value that the JSON `text` spells; None for `null`.

    Raises:
        Refused: VALUE_WRONG_TYPE (also for a null where `cql` holds none) or VALUE_OUT_OF_RANGE.
    """
    try:
        value = DECODER.decode(text.strip())
    except ValueError as error:
        what = f"it is not JSON like {EXAMPLES[cql.kind]}: {getattr(error, 'msg', error)} ({cql})"
        raise Refused(Code.VALUE_WRONG_TYPE, what) from None
    except RecursionError:
        raise Refused(Code.VALUE_WRONG_TYPE, "it is nested too deeply") from None
    return None if value is None else _cell(value, cql, "", native=False)


def nested_from_native(value: Any, cql: NestedType) -> bytes:
    """The same of a value out of an Arrow list, map or struct; a struct may stand for a tuple, field by field.

    Raises:
        Refused: as nested_from_text.
    """
    return _cell(value, cql, "", native=True)


def _cell(value: Any, cql: CqlType, place: str, *, native: bool) -> bytes:
    if isinstance(cql, str):
        return _scalar(value, cql, place)
    if cql.kind == "map":
        key_type, value_type = cql.parts
        items = {}
        for key, item in _pairs(value, cql, place):
            at = f"{place}[{_shown(key)}]"
            items[_item(key, key_type, at, cql, native=native)] = _item(item, value_type, at, cql, native=native)
        return map_cell(sorted(items.items()))
    if cql.kind in ("tuple", "user"):
        fields = _fields(value, cql, place, native=native)
        return tuple_cell([None if item is None else _cell(item, part, at, native=native) for item, part, at in fields])
    values = _array(value, cql, place)
    if cql.kind == "vector" and len(values) == cql.dimension:
        packed = float_vector(values, cql.parts[0])
        if packed is not None:
            return packed
    cells = [_item(item, cql.parts[0], f"{place}[{index}]", cql, native=native) for index, item in enumerate(values)]
    if cql.kind == "vector":
        if len(cells) != cql.dimension:
            raise _refused(place, f"{cql.dimension} elements are needed, not {len(cells)} ({cql})")
        return vector_cell(cells, cql.parts[0])
    return list_cell(sorted(set(cells)) if cql.kind == "set" else cells)


def _item(value: Any, cql: CqlType, place: str, within: NestedType, *, native: bool) -> bytes:
    if value is None:
        raise _refused(place, f"a {within.kind} holds no null")
    return _cell(value, cql, place, native=native)


def _scalar(value: Any, cql: Any, place: str) -> bytes:
    if isinstance(value, (dict, list)):
        raise _refused(place, f"a single value is needed ({cql})")
    try:
        return scalar_cell(scalar(value, cql), cql)
    except Refused as refused:
        raise _refused(place, refused.reason, refused.code) from None
    except UnicodeEncodeError:
        raise _refused(place, f"it is not valid Unicode ({cql})") from None


def _pairs(value: Any, cql: NestedType, place: str) -> Iterable[tuple[Any, Any]]:
    if isinstance(value, dict):
        return value.items()
    if isinstance(value, list) and all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in value):
        return [(pair[0], pair[1]) for pair in value]
    raise _refused(place, f"{EXAMPLES['map']} is needed ({cql})")


def _fields(value: Any, cql: NestedType, place: str, *, native: bool) -> list[tuple[Any, CqlType, str]]:
    """Value, type and place of each field of a tuple or user type."""
    if cql.kind == "user":
        if not isinstance(value, dict):
            raise _refused(place, f"{EXAMPLES['user']} is needed ({cql})")
        known = dict(cql.fields)
        for name in value:
            if name not in known:
                raise _refused(place, f"{cql.name} has no field {_shown(name)}; it has {', '.join(known)}")
        return [(value.get(name), part, f"{place}.{name}") for name, part in cql.fields]
    items: Sequence[Any] = list(value.values()) if native and isinstance(value, dict) else _array(value, cql, place)
    if len(items) != len(cql.parts):
        raise _refused(place, f"{len(cql.parts)} elements are needed, not {len(items)} ({cql})")
    return [(item, part, f"{place}[{index}]") for index, (item, part) in enumerate(zip(items, cql.parts, strict=True))]


def _array(value: Any, cql: NestedType, place: str) -> Sequence[Any]:
    if not isinstance(value, list):
        raise _refused(place, f"an array like {EXAMPLES[cql.kind]} is needed ({cql})")
    return value


def _shown(key: Any) -> str:
    text = json.dumps(key, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _refused(place: str, what: str, code: Code = Code.VALUE_WRONG_TYPE) -> Refused:
    return Refused(code, f"at {place.lstrip('.')}: {what}" if place else what)
