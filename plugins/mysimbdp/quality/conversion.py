"""A whole column into its type: Arrow's casts for what they take, value by value for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mysimbdp.coredms.types import arrow_type
from mysimbdp.errors import Code
from mysimbdp.formats.arrow_alone import keep_pandas_out
from mysimbdp.quality.nested import nested_from_native, nested_from_text
from mysimbdp.quality.pythonvalues import python_values
from mysimbdp.quality.refusals import Refused
from mysimbdp.quality.scalars import scalar
from mysimbdp.tenants.cqltypes import CqlType, NestedType, ScalarType

keep_pandas_out()


@dataclass(frozen=True, slots=True)
class Fault:
    """Why one value was refused."""

    code: Code
    reason: str
    value: Any


@dataclass(frozen=True, slots=True)
class Converted:
    """A typed column; `faults` maps row number in the batch → why it is null there against its will."""

    values: pa.Array
    faults: dict[int, Fault]


_YEAR = "(?:[1-9][0-9][0-9][0-9]|0[1-9][0-9][0-9]|00[1-9][0-9]|000[1-9])"  # Arrow knows a year 0000
# Text that the vector cast takes for sure; what does not match is looked at value by value.
_PLAIN: dict[str, str] = {
    "tinyint": r"^-?[0-9]{1,2}$",
    "smallint": r"^-?[0-9]{1,4}$",
    "int": r"^-?[0-9]{1,9}$",
    "bigint": r"^-?[0-9]{1,18}$",
    "varint": r"^(?:-?[1-9][0-9]{0,99}|0)$",
    "decimal": r"^(?:0|-?[1-9][0-9]{0,99})(?:\.[0-9]{1,99})?$",
    "float": r"^-?[0-9]{1,15}(?:\.[0-9]{1,20})?$",
    "double": r"^-?[0-9]{1,15}(?:\.[0-9]{1,20})?$",
    "date": rf"^{_YEAR}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$",
    "uuid": r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    "timeuuid": r"^[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
    "timestamp": rf"^{_YEAR}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])[T ]"
    r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?Z?$",
}
_TEXTS = ("text", "ascii")
_NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


def convert(column: pa.Array, cql: CqlType) -> Converted:
    """Return `column` as `arrow_type(cql)`.

    Empty text is missing (null), except in text and ascii columns where it is a value.
    """
    column = _simple(column)
    target = arrow_type(cql)
    if isinstance(cql, NestedType):
        return _one_by_one(_empty_as_null(column) if pa.types.is_string(column.type) else column, cql, target)
    if pa.types.is_null(column.type) or column.null_count == len(column):
        return Converted(pa.nulls(len(column), target), {})
    if not pa.types.is_string(column.type):
        return _native(column, cql, target)
    if cql in _TEXTS:
        ascii_only = cql == "text" or pc.all(pc.string_is_ascii(column)).as_py()
        return Converted(column, {}) if ascii_only else _one_by_one(column, cql, target)
    column = _empty_as_null(column)
    try:
        return Converted(_cast_all(column, cql, target), {})
    except pa.ArrowInvalid:
        return _cast_some(column, cql, target)


def _simple(column: pa.Array) -> pa.Array:
    """Undo dictionaries, run ends and the larger text types."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    elif pa.types.is_run_end_encoded(column.type):
        column = pc.run_end_decode(column)
    if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        column = column.cast(pa.utf8())
    return column


def _empty_as_null(column: pa.Array) -> pa.Array:
    empty = pc.equal(pc.binary_length(column), 0)
    return pc.if_else(empty, pa.scalar(None, pa.utf8()), column) if pc.any(empty).as_py() else column


def _cast_all(column: pa.Array, cql: ScalarType, target: pa.DataType) -> pa.Array:
    """Cast if Arrow takes every value and means by it what `scalar` does; else ArrowInvalid."""
    if cql in ("tinyint", "smallint", "int", "bigint"):
        if any(pc.any(pc.match_substring(column, sign)).as_py() for sign in "xX"):
            raise pa.ArrowInvalid("Arrow takes 0x10 for a number")
        return column.cast(target)
    if cql == "double":
        typed = column.cast(target)
        if not pc.all(pc.is_finite(typed)).as_py():
            raise pa.ArrowInvalid("Arrow takes 1e999 for infinity and nan(x) for a number")
        return typed
    if cql in ("date", "timestamp", "float", "uuid", "timeuuid", "varint", "decimal"):
        if not pc.all(pc.match_substring_regex(column, _PLAIN[cql])).as_py():
            raise pa.ArrowInvalid("not plain")
        return _cast_plain(column, cql, target)
    raise pa.ArrowInvalid("only value by value")


def _cast_some(column: pa.Array, cql: ScalarType, target: pa.DataType) -> Converted:
    """Cast the values that are plain, look at the others one by one."""
    plain = _PLAIN.get(cql)
    if plain is None:
        return _one_by_one(column, cql, target)
    fits = pc.match_substring_regex(column, plain)
    try:
        typed = _cast_plain(pc.if_else(fits, column, pa.scalar(None, pa.utf8())), cql, target)
    except pa.ArrowInvalid:  # plain by its form, but no such day
        return _one_by_one(column, cql, target)
    return _mended(typed, column, pc.invert(fits), cql, target)


def _cast_plain(column: pa.Array, cql: ScalarType, target: pa.DataType) -> pa.Array:
    if cql != "timestamp":
        return column if target == pa.utf8() else column.cast(target)
    without_zone = pc.utf8_rtrim(column, "Z")
    moments = without_zone.cast(pa.timestamp("us"))
    return pc.assume_timezone(pc.floor_temporal(moments, unit="millisecond").cast(pa.timestamp("ms")), "UTC")


def _mended(typed: pa.Array, column: pa.Array, rest: pa.Array, cql: ScalarType, target: pa.DataType) -> Converted:
    """Fill the places where `rest` is true with what `scalar` makes of them."""
    rest = pc.fill_null(rest, fill_value=False)
    indexes = pc.indices_nonzero(rest)
    outcome = _one_by_one(column.take(indexes), cql, target)
    places = indexes.to_pylist()
    faults = {places[index]: fault for index, fault in outcome.faults.items()}
    return Converted(pc.replace_with_mask(typed, rest, outcome.values), faults)


def _native(column: pa.Array, cql: ScalarType, target: pa.DataType) -> Converted:
    """Columns an app gives in types of its own."""
    if _widens(column.type, target):
        return Converted(column.cast(target), {})
    if pa.types.is_timestamp(column.type) and cql == "timestamp" and column.type.unit != "s":
        moments = pc.floor_temporal(column.cast(pa.timestamp(column.type.unit, "UTC")), unit="millisecond")
        return Converted(moments.cast(target), {})
    if pa.types.is_duration(column.type) and cql == "duration":
        size = _NANOSECONDS[column.type.unit]
        counts = column.cast(pa.int64()).to_pylist()
        return _each([None if count is None else (0, 0, count * size) for count in counts], cql, target)
    return _one_by_one(column, cql, target)


def _widens(given: pa.DataType, target: pa.DataType) -> bool:
    """True when every value of `given` is one of `target`, so that a cast cannot fail or change it."""
    if given == target:
        return not pa.types.is_interval(given)  # its parts may have different signs
    whole = pa.types.is_integer(given)
    if whole and pa.types.is_integer(target):
        room = target.bit_width if pa.types.is_signed_integer(given) else target.bit_width - 1
        return bool(given.bit_width <= room)
    if whole and target == pa.float64():
        return bool(given.bit_width <= 32)
    if pa.types.is_floating(given) and pa.types.is_floating(target):
        return bool(given.bit_width <= target.bit_width)
    return bool(whole and target == pa.utf8())


def _one_by_one(column: pa.Array, cql: CqlType, target: pa.DataType) -> Converted:
    return _each(python_values(column), cql, target)


def _each(given: list[Any], cql: CqlType, target: pa.DataType) -> Converted:
    """Convert value by value, each different one once."""
    known: dict[Any, tuple[Any, Fault | None]] = {}
    values: list[Any] = []
    faults: dict[int, Fault] = {}
    for index, value in enumerate(given):
        made, fault = _remembered(value, cql, known)
        values.append(made)
        if fault:
            faults[index] = fault
    return Converted(pa.array(values, target), faults)


def _remembered(value: Any, cql: CqlType, known: dict[Any, tuple[Any, Fault | None]]) -> tuple[Any, Fault | None]:
    if value is None:
        return None, None
    key: Any = (type(value), value)
    try:
        if key in known:
            return known[key]
    except TypeError:  # lists and dictionaries
        key = None
    try:
        outcome: tuple[Any, Fault | None] = (_typed(value, cql), None)
    except Refused as refused:
        outcome = (None, Fault(refused.code, refused.reason, value))
    if key is not None:
        known[key] = outcome
    return outcome


def _typed(value: Any, cql: CqlType) -> Any:
    if isinstance(cql, str):
        return scalar(value, cql)
    return nested_from_text(value, cql) if isinstance(value, str) else nested_from_native(value, cql)
