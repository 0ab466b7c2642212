"""A table's definition as JSON text and back, with the user types its columns are of."""

from __future__ import annotations

import json
from collections.abc import Iterable

from mysimbdp.tenants.cqltypes import CqlType, NestedType
from mysimbdp.tenants.model import Table
from mysimbdp.tenants.typegrammar import parse_type
from mysimbdp.tenants.usertypes import in_order, looked_up


def table_to_text(table: Table) -> str:
    """The definition, so that it is understood without the tenant file it is from."""
    types = {name: column.type for name, column in table.columns.items()}
    facts = table.model_dump(mode="json", by_alias=True, exclude={"columns": {"__all__": {"type"}}})
    for name, cql in types.items():
        facts["columns"][name]["type"] = str(cql)
    return json.dumps({"table": facts, "types": _user_types(types.values())})


def table_from_text(text: str) -> Table:
    """The inverse of `table_to_text`."""
    facts = json.loads(text)
    declared = {
        name: {field: parse_type(cql, covered=True) for field, cql in fields.items()}
        for name, fields in facts["types"].items()
    }
    known, _ = in_order(declared)
    table = Table.model_validate(facts["table"])
    return table.with_types({name: looked_up(column.type, known) for name, column in table.columns.items()})


def _user_types(types: Iterable[CqlType]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for cql in types:
        if isinstance(cql, NestedType):
            if cql.kind == "user":
                found[cql.name] = {field: str(part) for field, part in cql.fields}
            found |= _user_types(cql.inner())
    return found
