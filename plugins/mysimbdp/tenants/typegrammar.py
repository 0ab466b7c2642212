"""CQL text to a type: strict, so that nothing is left to Cassandra's own reading of it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import cast

from mysimbdp.tenants.cqltypes import SCALARS, CqlType, Kind, NestedType, TypeFault, holds

MAX_DIMENSION = 8192
"""CQL's own limit for vectors, which Cassandra 5.0.6 does not enforce."""

MAX_DEPTH = 16
_ARGUMENTS = {"list": 1, "set": 1, "map": 2}
_TOKEN = re.compile(r'\s*([A-Za-z_][A-Za-z0-9_]*|"[^"]+"|[0-9]+|[<>,])')


def parse_type(text: str, *, covered: bool = False) -> CqlType:
    """The type that `text` spells; a word that is no type of CQL is taken for a user type (see usertypes.py).

    `covered`: it stands within something frozen (a field of a user type), so that it is frozen too.

    Raises:
        TypeFault: with the reason in words.
    """
    parser = _Parser(text)
    found = parser.type(covered=covered, depth=0)
    parser.end()
    return found


def parse_column_type(text: str) -> CqlType:
    """As `parse_type`, for a column: its lists are frozen.

    Cassandra gives each element of a list that is not frozen a new name with every write, so that writing a row again
    with the same timestamp, as every retry does, would double the list.
    """
    found = parse_type(text)
    if isinstance(found, NestedType) and found.kind == "list":
        return replace(found, frozen=True)
    return found


class _Parser:
    """Recursive descent over `name`, `name<type, …>` and `vector<type, number>`."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None:
                raise TypeFault(f"{text[at:].strip()[0]!r} has no place in a type")
            self._tokens.append(found[1])
            at = found.end()
        self._at = 0

    def type(self, *, covered: bool, depth: int) -> CqlType:
        """The type that begins here."""
        if depth > MAX_DEPTH:
            raise TypeFault(f"it is nested more than {MAX_DEPTH} deep")
        token = self._take("a type")
        word = token.lower()
        if word in SCALARS:
            return word
        if word == "varchar":
            return "text"
        if word == "counter":
            raise TypeFault("a counter cannot be loaded: a repeated write would count twice")
        if word == "frozen":
            (inner,) = self._arguments(word, 1, covered=True, depth=depth)
            if isinstance(inner, str):
                raise TypeFault(f"frozen<…> goes around a collection, a tuple or a user type, not around {inner}")
            return replace(inner, frozen=True)
        if word in ("tuple", "vector"):
            return self._tuple(depth) if word == "tuple" else self._vector(depth)
        if word in _ARGUMENTS:
            parts = self._arguments(word, _ARGUMENTS[word], covered=covered, depth=depth)
            if word != "list" and holds(parts[0], "duration"):
                raise TypeFault(
                    f"a {word} orders its {'keys' if word == 'map' else 'elements'}; durations have no order"
                )
            return NestedType(cast("Kind", word), parts, frozen=covered)
        name = token.strip('"')
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise TypeFault(f"a type is needed instead of {token!r}")
        return NestedType("user", frozen=covered, name=name)

    def end(self) -> None:
        """Nothing may follow."""
        if self._at < len(self._tokens):
            raise TypeFault(f"{self._tokens[self._at]!r} is left over at its end")

    def _tuple(self, depth: int) -> NestedType:
        return NestedType("tuple", self._arguments("tuple", None, covered=True, depth=depth))

    def _vector(self, depth: int) -> NestedType:
        self._expect("<", "vector")
        part = self.type(covered=True, depth=depth + 1)
        self._expect(",", "vector")
        number = self._take("a dimension")
        if not number.isdigit() or not 1 <= int(number[:9]) <= MAX_DIMENSION:
            raise TypeFault(f"a vector's dimension is a number from 1 to {MAX_DIMENSION}, not {number!r}")
        self._expect(">", "vector")
        return NestedType("vector", (part,), dimension=int(number))

    def _arguments(self, word: str, count: int | None, *, covered: bool, depth: int) -> tuple[CqlType, ...]:
        self._expect("<", word)
        parts = [self._part(word, covered=covered, depth=depth)]
        while self._peek() == ",":
            self._at += 1
            parts.append(self._part(word, covered=covered, depth=depth))
        self._expect(">", word)
        if count is not None and len(parts) != count:
            raise TypeFault(f"{word}<…> has {count} type{'s' * (count > 1)} between its brackets, not {len(parts)}")
        return tuple(parts)

    def _part(self, word: str, *, covered: bool, depth: int) -> CqlType:
        part = self.type(covered=covered, depth=depth + 1)
        if isinstance(part, NestedType) and part.kind != "user" and not part.frozen:
            raise TypeFault(f"within {word}<…> it must be frozen: write frozen<{part}>")
        return part

    def _expect(self, token: str, word: str) -> None:
        found = self._peek()
        if found != token:
            after = f"instead of {found!r}" if found else "at its end"
            raise TypeFault(f"{word}<…>: {token!r} is missing {after}")
        self._at += 1

    def _take(self, what: str) -> str:
        found = self._peek()
        if found is None:
            raise TypeFault(f"{what} is missing at its end")
        self._at += 1
        return found

    def _peek(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None
