"""Arrow values as Python's, without losing what Python's own types cannot hold: dates and times come as text.

They would otherwise lose their nanoseconds, and raise beyond the year 9999.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa


def python_values(column: pa.Array) -> list[Any]:
    """The values of `column`; dates, times and timestamps in it, at any depth, as ISO text."""
    wanted = _with_texts(column.type)
    if wanted != column.type:
        column = column.cast(wanted)
    try:
        return column.to_pylist()  # type: ignore[no-any-return]
    except (ValueError, OverflowError):
        return [_python_value(value) for value in column]


def _python_value(value: pa.Scalar) -> Any:
    """What Python cannot hold (a duration within a list, of nanoseconds or of ages) is a text that no type takes."""
    try:
        return value.as_py()
    except (ValueError, OverflowError):
        return f"<{value.type} out of range>"


def _with_texts(given: pa.DataType) -> pa.DataType:
    """`given` with text for each type of date or time in it."""
    made = given
    if pa.types.is_date(given) or pa.types.is_time(given) or pa.types.is_timestamp(given):
        made = pa.utf8()
    elif pa.types.is_dictionary(given):
        made = _with_texts(given.value_type)
    elif pa.types.is_fixed_size_list(given):
        made = pa.list_(_field(given.value_field), given.list_size)
    elif pa.types.is_list(given):
        made = pa.list_(_field(given.value_field))
    elif pa.types.is_large_list(given):
        made = pa.large_list(_field(given.value_field))
    elif pa.types.is_map(given):
        made = pa.map_(_field(given.key_field), _field(given.item_field))
    elif pa.types.is_struct(given):
        made = pa.struct([_field(field) for field in given.fields])
    return made


def _field(given: pa.Field) -> pa.Field:
    return given.with_type(_with_texts(given.type))
