"""Policy: what may change about a user type that exists. Fields are added at its end; all else stays as it is.

Values of a user type are stored field after field without names, so that nothing else could be changed in place.
"""

from __future__ import annotations

from collections.abc import Mapping

from mysimbdp.coredms.identifiers import quoted
from mysimbdp.coredms.shape import Change, OtherType, Verdict, spelled, target
from mysimbdp.errors import Code, Problem
from mysimbdp.tenants.cqltypes import CqlType

Fields = Mapping[str, CqlType | OtherType]
"""Fields and their types, in order."""


def compare_type(
    keyspace: str, name: str, declared: Fields, existing: Fields | None, *, in_partition_key: bool = False
) -> Verdict:
    """Changes that make the user type `existing` (None: there is none) hold all of `declared`, or why none can.

    `in_partition_key`: a table that exists has it in its partition key; Cassandra then adds no field to it.
    """
    if existing is None:
        return Verdict([Change(keyspace, name, None, "create type", cql=_create_type(keyspace, name, declared))])
    for (old, old_type), (new, new_type) in zip(existing.items(), declared.items(), strict=False):
        if old != new or old_type != new_type:
            what = (
                f"type {keyspace}.{name}: where it has the field {old} {old_type}, the tenant file has {new} {new_type}"
                "; fields can only be added, after all others"
            )
            return Verdict(problems=[Problem(Code.SCHEMA_INCOMPATIBLE, what, column=new, value=str(new_type))])
    if in_partition_key and len(declared) > len(existing):
        what = f"type {keyspace}.{name}: it gets no new field while a table has it in its partition key"
        return Verdict(problems=[Problem(Code.SCHEMA_INCOMPATIBLE, what, column=list(declared)[len(existing)])])
    verdict = Verdict()
    for field, cql in list(declared.items())[len(existing) :]:
        alter = f"ALTER TYPE {target(keyspace, name)} ADD IF NOT EXISTS {quoted(field)} {spelled(cql)}"
        verdict.changes.append(Change(keyspace, name, field, "add field", str(cql), alter))
    for field, cql in list(existing.items())[len(declared) :]:
        detail = f"{cql}; the tenant file names it no more"
        verdict.changes.append(Change(keyspace, name, field, "keep field", detail))
    return verdict


def _create_type(keyspace: str, name: str, fields: Fields) -> str:
    columns = ", ".join(f"{quoted(field)} {spelled(cql)}" for field, cql in fields.items())
    return f"CREATE TYPE IF NOT EXISTS {target(keyspace, name)} ({columns})"
