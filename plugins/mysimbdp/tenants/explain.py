"""Pydantic's errors about a tenant file in words that its author understands: line, key, nearest known key."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from mysimbdp.errors import Code, Problem
from mysimbdp.tenants.model import Tenant
from mysimbdp.tenants.yamlfile import Places

_LONGEST_VALUE = 80


def explain(file: str, raw: bytes, error: ValidationError) -> list[Problem]:
    """One Problem for each fault pydantic found in the tenant file `file` with the content `raw`, by line."""
    places = Places(raw)
    problems = [_problem(file, places, fault) for fault in error.errors(include_url=False, include_context=True)]
    return sorted(problems, key=lambda problem: problem.line or 0)


def _problem(file: str, places: Places, fault: Any) -> Problem:
    path: tuple[str | int, ...] = fault["loc"]
    where = [step for step in path if step != "[key]"]
    if not where:  # a rule over the whole file begins its text with the key it is about
        named = re.match(r"(?:Value error, )?([a-z_.]+): ", fault["msg"])
        where = list(named[1].split(".")) if named else []
    key = ".".join(map(str, where)) or None
    given = fault.get("input")
    value = None if isinstance(given, dict | list) or fault["type"] == "missing" else str(given)[:_LONGEST_VALUE]
    return Problem(Code.TENANT_INVALID, _words(fault, path), file, places.line_of(where), key, value)


def _words(fault: Any, path: tuple[str | int, ...]) -> str:  # noqa: PLR0911  # one line a kind of fault
    kind, last = fault["type"], path[-1] if path else ""
    if kind == "extra_forbidden":
        return f"unknown key {last!r}{_hint(str(last), known_keys(path[:-1]))}"
    if kind == "missing":
        return f"the key {last!r} is missing"
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", fault["ctx"]["expected"])
        return f"{str(fault['input'])[:_LONGEST_VALUE]!r} is none of {', '.join(choices)}" + _hint(
            str(fault["input"]), choices
        )
    if kind == "string_pattern_mismatch":
        name = str(fault["input"])[:_LONGEST_VALUE]
        return f"{name!r} is not a valid name: it must match {fault['ctx']['pattern']}"
    if kind in ("model_type", "dict_type"):
        return "a mapping (key: value) is needed here"
    if kind == "list_type":
        return "a list ([a, b] or lines that begin with -) is needed here"
    return str(fault["msg"]).removeprefix("Value error, ")


def _hint(word: str, known: Sequence[str]) -> str:
    close = get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known are {', '.join(known)}" if known else ""


def known_keys(path: Sequence[str | int]) -> list[str]:
    """Keys the tenant file may have below `path`, as they are written there; empty where any key may be."""
    kind: Any = Tenant
    for step in path:
        kind = _child(_bare(kind), step)
    kind = _bare(kind)
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return []
    return [field.alias or name for name, field in kind.model_fields.items()]


def _child(kind: Any, step: str | int) -> Any:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = {field.alias or name: field for name, field in kind.model_fields.items()}
        return fields[str(step)].annotation if step in fields else None
    arguments = get_args(kind)
    if get_origin(kind) in (dict, list) and arguments:
        return arguments[-1]
    return None


def _bare(kind: Any) -> Any:
    """`kind` without Annotated and `| None`."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        rest = [each for each in get_args(kind) if each is not NoneType]
        return _bare(rest[0]) if len(rest) == 1 else kind
    return None if get_origin(kind) is Literal else kind
