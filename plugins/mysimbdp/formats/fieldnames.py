"""Which field of a file belongs to which column of the table: exact name, then any case, then normalised."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """A column of the table and the name its values have in the file."""

    column: str
    name: str
    required: bool = False


def normalised(name: str) -> str:
    """Return `name` in lower case with blanks, dashes and dots as underscores."""
    return "_".join(name.casefold().replace("-", " ").replace(".", " ").replace("_", " ").split())


def candidates(wanted: str, present: Iterable[str]) -> list[str]:
    """Return the names of `present` that stand for `wanted`, the best first, each once."""
    exact, any_case, loose = [], [], []
    folded, plain = wanted.casefold(), normalised(wanted)
    for name in present:
        if name == wanted:
            exact.append(name)
        elif name.strip().casefold() == folded:
            any_case.append(name)
        elif normalised(name) == plain:
            loose.append(name)
    return list(dict.fromkeys([*exact, *any_case, *loose]))


def match(fields: Sequence[Field], present: Sequence[str]) -> dict[str, str]:
    """Map column → name in `present`. The name declared by `from` is looked for first, then the column's own."""
    found: dict[str, str] = {}
    for field in fields:
        names = candidates(field.name, present) or candidates(field.column, present)
        if names:
            found[field.column] = names[0]
    return found


def nearest(name: str, present: Sequence[str]) -> str | None:
    """Return the name of `present` most like `name`, or None when none is like it."""
    from difflib import get_close_matches  # noqa: PLC0415  # only for error messages: keeps the start-up short

    by_plain = {normalised(candidate): candidate for candidate in present}
    hits = get_close_matches(normalised(name), list(by_plain), n=1, cutoff=0.5)
    return by_plain[hits[0]] if hits else None
