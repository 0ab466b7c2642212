"""Policy: what may change about a table that exists. New columns are added; types and keys stay as they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from mysimbdp.coredms.identifiers import quoted
from mysimbdp.errors import Code, Problem
from mysimbdp.tenants.cqltypes import CqlType, TypeFault
from mysimbdp.tenants.model import Table
from mysimbdp.tenants.typegrammar import parse_type

Action = Literal[
    "create keyspace", "create type", "add field", "keep field", "create table", "add column", "keep column"
]


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a schema as data; `table` is the type's name where it is about a user type. `cql` is empty for what
    is merely reported: a column or field kept although the tenant file names it no more."""

    keyspace: str
    table: str | None
    column: str | None
    action: Action
    detail: str = ""
    cql: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For tables and JSON."""
        return {
            "keyspace": self.keyspace,
            "table": self.table,
            "column": self.column,
            "action": self.action,
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True)
class OtherType:
    """A type of Cassandra's that no tenant file can declare."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Shape:
    """Columns with their CQL types, and the key's columns in order."""

    types: dict[str, CqlType | OtherType]
    partition_key: list[str]
    clustering_key: list[str]

    @classmethod
    def declared(cls, table: Table) -> Shape:
        """The shape a tenant file asks for."""
        return cls(dict(table.cql_columns), table.cql_partition_key, table.cql_clustering_key)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What brings a table to its declared shape, or why nothing can."""

    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def compare(keyspace: str, table: str, declared: Shape, existing: Shape | None) -> Verdict:
    """Changes that make `existing` (None: no such table) hold all of `declared`, or the problems in the way."""
    if existing is None:
        return Verdict([Change(keyspace, table, None, "create table", cql=create_table(keyspace, table, declared))])
    verdict = Verdict()
    for part in ("partition_key", "clustering_key"):
        old, new = getattr(existing, part), getattr(declared, part)
        if old != new:
            what = (
                f"table {keyspace}.{table}: its {part} is ({', '.join(old)}), the tenant file says ({', '.join(new)})"
            )
            verdict.problems.append(Problem(Code.SCHEMA_INCOMPATIBLE, what, column=part, value=", ".join(new)))
    added = []
    for name, cql in declared.types.items():
        old_type = existing.types.get(name)
        if old_type is None:
            added.append(name)
        elif old_type != cql:
            what = f"table {keyspace}.{table}, column {name}: its type is {old_type}, the tenant file says {cql}"
            verdict.problems.append(Problem(Code.SCHEMA_INCOMPATIBLE, what, column=name, value=str(cql)))
    if verdict.problems:
        return verdict
    for name in added:
        kind = declared.types[name]
        alter = f"ALTER TABLE {target(keyspace, table)} ADD IF NOT EXISTS {quoted(name)} {spelled(kind)}"
        verdict.changes.append(Change(keyspace, table, name, "add column", str(kind), alter))
    for name, old_type in existing.types.items():
        if name not in declared.types:
            detail = f"{old_type}; the tenant file names it no more"
            verdict.changes.append(Change(keyspace, table, name, "keep column", detail))
    return verdict


def create_table(keyspace: str, table: str, shape: Shape) -> str:
    """The CREATE TABLE of `shape`."""
    columns = ", ".join(f"{quoted(name)} {spelled(cql)}" for name, cql in shape.types.items())
    partition = ", ".join(map(quoted, shape.partition_key))
    key = ", ".join([f"({partition})", *map(quoted, shape.clustering_key)])
    return f"CREATE TABLE IF NOT EXISTS {target(keyspace, table)} ({columns}, PRIMARY KEY ({key}))"


def create_keyspace(keyspace: str, replication: dict[str, Any]) -> Change:
    """The change that makes a keyspace; `replication` as in CQL's map."""
    pairs = ", ".join(f"'{key}': '{value}'" for key, value in replication.items())
    cql = f"CREATE KEYSPACE IF NOT EXISTS {quoted(keyspace)} WITH replication = {{{pairs}}}"
    return Change(keyspace, None, None, "create keyspace", pairs.replace("'", ""), cql)


def target(keyspace: str, name: str) -> str:
    """The full name of a table or type in CQL."""
    return f"{quoted(keyspace)}.{quoted(name)}"


def spelled(cql: CqlType | OtherType) -> str:
    """A type as CQL text, names quoted."""
    return str(cql) if isinstance(cql, str | OtherType) else cql.text(quoted)


def understood(text: str, *, covered: bool = False) -> CqlType | OtherType:
    """The type that Cassandra's own schema tables write as `text`; `covered` for a field of a user type."""
    try:
        return parse_type(text, covered=covered)
    except TypeFault:
        return OtherType(text)
