"""Reads bytes with a reader and notes what it says."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mysimbdp.formats.faults import BadRow
from mysimbdp.formats.fieldnames import Field
from mysimbdp.formats.reading import read_records
from mysimbdp.tenants.model import FileFormat


@dataclass
class Seen:
    rows: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[BadRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def values(self, *names: str) -> list[tuple[Any, ...]]:
        return [tuple(row.get(name) for name in names) for row in self.rows]


def fields(*names: str) -> list[Field]:
    """`a!` is a required field."""
    return [Field(name.rstrip("!").lower(), name.rstrip("!"), name.endswith("!")) for name in names]


def read(content: bytes, file_format: FileFormat = "csv", wanted: Sequence[Field] | None = None) -> Seen:
    seen = Seen()
    for batch in read_records(file_format, io.BytesIO(content), wanted, seen.rejected.append, seen.notes.append):
        batch.validate(full=True)
        seen.rows.extend(batch.to_pylist())
    return seen
