"""Policy: which user types a tenant file may declare, and where its columns and keys may use them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from mysimbdp.tenants.cqltypes import TYPE_WORDS, CqlType, NestedType, TypeFault, holds

_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Misfit:
    """What is wrong with a type, and its place below the section it is in."""

    place: tuple[str | int, ...]
    what: str
    value: str


def looked_up(cql: CqlType, known: Mapping[str, NestedType]) -> CqlType:
    """`cql` with the fields of the user types in it.

    Raises:
        TypeFault: a user type is not among `known`, or not frozen.
    """
    if isinstance(cql, str):
        return cql
    if cql.kind != "user":
        return replace(cql, parts=tuple(looked_up(part, known) for part in cql.parts))
    if cql.name not in known:
        words = [*TYPE_WORDS, *known]
        close = get_close_matches(cql.name.lower(), words, n=1, cutoff=0.6)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(words)}"
        raise TypeFault(f"there is no type {cql.name[:_SHOWN]!r}; {hint}")
    if not cql.frozen:
        raise TypeFault(f"a user type must be frozen: write frozen<{cql.name}>")
    return replace(cql, fields=known[cql.name].fields)


def in_order(declared: Mapping[str, Mapping[str, CqlType]]) -> tuple[dict[str, NestedType], list[Misfit]]:
    """The user types with their fields looked up, each after those it holds; and what is wrong with them."""
    found: dict[str, NestedType] = {}
    misfits: list[Misfit] = []

    def visit(name: str, trail: tuple[str, ...]) -> None:
        fields = []
        for field, cql in declared[name].items():
            circles = [trail[trail.index(used) :] for used in user_types_in(cql) if used in trail]
            if circles:
                what = f"a user type cannot hold itself: {' → '.join([*circles[0], circles[0][0]])}"
                misfits.append(Misfit((name, field), what, str(cql)))
                continue
            for used in user_types_in(cql):
                if used in declared and used not in found:
                    visit(used, (*trail, used))
            try:
                fields.append((field, looked_up(cql, found)))
            except TypeFault as fault:
                misfits.append(Misfit((name, field), str(fault), str(cql)))
        found[name] = NestedType("user", name=name, fields=tuple(fields))

    for name in declared:
        if name in TYPE_WORDS:
            misfits.append(Misfit((name,), f"{name!r} is a type of CQL already", name))
        if name not in found:
            visit(name, (name,))
    return found, misfits


def looked_up_columns(
    types: Mapping[str, CqlType], known: Mapping[str, NestedType]
) -> tuple[dict[str, CqlType], list[Misfit]]:
    """The columns' types with their user types looked up, and what is wrong with the others."""
    found: dict[str, CqlType] = {}
    misfits = []
    for name, cql in types.items():
        try:
            found[name] = looked_up(cql, known)
        except TypeFault as fault:
            misfits.append(Misfit(("columns", name, "type"), str(fault), str(cql)))
    return found, misfits


def unfit_keys(types: Mapping[str, CqlType], **keys: Sequence[str]) -> list[Misfit]:
    """What is wrong with the key columns named by `keys` (part of the key → columns)."""
    misfits = []
    for part, names in keys.items():
        for index, name in enumerate(names):
            cql = types.get(name, "text")
            if isinstance(cql, NestedType) and not cql.frozen:
                what = f"{name} is part of the key and must be frozen: write frozen<{cql}> for it"
                misfits.append(Misfit((part, index), what, name))
            elif holds(cql, "duration"):
                misfits.append(
                    Misfit((part, index), f"{name} cannot be part of the key: durations have no order", name)
                )
    return misfits


def user_types_in(cql: CqlType) -> Iterable[str]:
    """Names of the user types in `cql`, at any depth that is looked up."""
    if isinstance(cql, NestedType):
        if cql.kind == "user":
            yield cql.name
        for part in cql.inner():
            yield from user_types_in(part)
