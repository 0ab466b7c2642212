"""What a writer is told: which file, into which table, and where it may leave its own files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mysimbdp.bench.shapes import Shape
from mysimbdp.connections import Connection


@dataclass(frozen=True, slots=True)
class Job:
    """Load the first `rows` rows of `file` into the shape's table of `keyspace`, which is `tenant`'s."""

    shape: Shape
    file: Path
    rows: int
    tenant: str
    keyspace: str
    folder: Path
    coredms: Connection
    dsbulk_jars: Path | None = None

    def write_private(self, name: str, text: str) -> Path:
        """Write a file with a password in it, readable by its owner alone, never on a command line."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)
        return path
