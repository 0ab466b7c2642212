"""app.yaml as a strict model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from mysimbdp.tenants.model import TableName
from mysimbdp.tenants.strict import Strict

OutputKind = Literal["arrow", "jsonl", "csv"]
Word = Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=r"^[^\x00]+$")]


class AppManifest(Strict):
    """What client_apps/<tenant>/<app>/app.yaml declares."""

    command: list[Word] = Field(
        min_length=1,
        description="Program and arguments; the file's path is added. `python3` is the platform's interpreter, a name "
        "with a slash or of a file in the app's folder is resolved there, any other on PATH.",
    )
    kind: Literal["rows"] = Field(default="rows", description="rows: the app writes rows to stdout.")
    output: OutputKind = Field(default="arrow", description="What it writes: Arrow IPC stream, JSON Lines or CSV.")
    version: str = Field(min_length=1, max_length=64, description="Recorded with every ingest.")
    tables: list[TableName] | None = Field(default=None, description="Tables it can fill; none = any.")
