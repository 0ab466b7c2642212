"""Which format a file has by its name."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mysimbdp.tenants.model import FileFormat

EXTENSIONS: dict[str, FileFormat] = {
    ".csv": "csv",
    ".txt": "txt",
    ".tsv": "txt",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".xml": "xml",
    ".parquet": "parquet",
}


def format_of(name: str) -> FileFormat | None:
    """Return the format the extension of `name` stands for (case does not matter), or None."""
    return EXTENSIONS.get(PurePosixPath(name).suffix.lower())
