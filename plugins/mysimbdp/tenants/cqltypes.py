"""The types a column may have, and how CQL spells them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, get_args

ScalarType = Literal[
    "ascii", "bigint", "blob", "boolean", "date", "decimal", "double", "duration", "float", "inet", "int",
    "smallint", "text", "time", "timestamp", "timeuuid", "tinyint", "uuid", "varint",
]  # fmt: skip
Kind = Literal["list", "set", "map", "tuple", "vector", "user"]

SCALARS: tuple[ScalarType, ...] = get_args(ScalarType)
TYPE_WORDS = (*SCALARS, "list", "set", "map", "tuple", "vector", "frozen")


@dataclass(frozen=True, slots=True)
class NestedType:
    """A collection, tuple, vector or user type. Two user types are equal when their names are.

    `parts` are the types between the brackets; a user type has `fields` instead, once it was looked up.
    """

    kind: Kind
    parts: tuple[CqlType, ...] = ()
    frozen: bool = True
    """Stored as one cell; in a tenant's table False only for a set or map that is a column's whole type."""
    dimension: int = 0
    name: str = ""
    fields: tuple[tuple[str, CqlType], ...] = field(default=(), compare=False)

    def text(self, named: Callable[[str], str] = str) -> str:
        """As CQL, in Cassandra's own spelling; `named` spells the names of user types."""
        parts = [part if isinstance(part, str) else part.text(named) for part in self.parts]
        if self.kind == "vector":
            parts.append(str(self.dimension))
        plain = named(self.name) if self.kind == "user" else f"{self.kind}<{', '.join(parts)}>"
        return f"frozen<{plain}>" if self.frozen and self.kind not in ("tuple", "vector") else plain

    def __str__(self) -> str:
        return self.text()

    def inner(self) -> Iterator[CqlType]:
        """The types directly within this one."""
        yield from self.parts
        yield from (cql for _, cql in self.fields)


CqlType = ScalarType | NestedType


class TypeFault(ValueError):  # noqa: N818  # a fault of the tenant file, not of ours
    """Why a text is not a type."""


def only_scalars(types: Iterable[CqlType]) -> bool:
    """Whether values of all `types` travel in Arrow types of their own; a nested one's travel as serialised CQL."""
    return all(isinstance(cql, str) for cql in types)


def holds(cql: CqlType, wanted: ScalarType) -> bool:
    """Whether `wanted` is in `cql`, at any depth."""
    return cql == wanted if isinstance(cql, str) else any(holds(part, wanted) for part in cql.inner())
