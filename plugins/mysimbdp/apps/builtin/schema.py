"""The declared table as the built-in app sees it."""

from __future__ import annotations

import json

from mysimbdp.formats.fieldnames import Field


def declared_fields(schema: str) -> list[Field]:
    """Return the fields of MYSIMBDP_SCHEMA: `{"columns": {name: {type, required, from}}, "key": [name]}`."""
    declared = json.loads(schema)
    key = set(declared["key"])
    return [
        Field(name, column.get("from") or name, bool(column.get("required")) or name in key)
        for name, column in declared["columns"].items()
    ]
