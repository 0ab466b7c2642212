"""CQL names: always quoted, for `_ingest` starts with an underscore and a customer may call a column `order`."""

from __future__ import annotations


def quoted(name: str) -> str:
    """`name` as a CQL identifier that keeps its exact spelling."""
    return '"' + name.replace('"', '""') + '"'
