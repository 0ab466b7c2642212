"""The receipt: what became of a file, written where the customer who sent it can read it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from mysimbdp.errors import Code, Problem
from mysimbdp.landing.layout import Landing
from mysimbdp.landing.moving import full_disk_is_transient, move, write_whole

VERSION: Literal[1] = 1
ROWS_IN_RECEIPT = 20
"""Rejected rows shown in the receipt itself; all of them are in the file beside it."""

Outcome = Literal["committed", "rejected", "failed", "duplicate"]


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("needs a time zone")
    return moment.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_in_utc)]
Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RejectedRow(_Strict):
    """One row that was not taken."""

    source: int | None = Field(default=None, description="Record number in the file, from 1, header not counted.")
    line: int | None = Field(default=None, description="Line in the file, from 1, where the record begins.")
    column: str | None = None
    value: str | None = Field(default=None, description="The value refused, shortened.")
    code: Code
    reason: str


class App(_Strict):
    """The program that read the file."""

    name: str
    version: str


class Receipt(_Strict):
    """What became of one file. Times are UTC, sizes bytes, durations seconds."""

    version: Literal[1] = VERSION
    tenant: str
    ingest_id: UUID
    file: str = Field(description="The file's name; what does not print in it is escaped, backslashes doubled.")
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$", description="None: never read.")
    bytes: Count
    outcome: Outcome
    code: Code | None = Field(default=None, description="Why it was not committed, stable across versions.")
    reason: str | None = None
    advice: str | None = Field(default=None, description="What to do about it.")
    line: int | None = Field(default=None, description="Where in the file the reason lies.")
    column: str | None = None
    duplicate_of: UUID | None = Field(default=None, description="The ingest that has these very bytes.")
    replay_of: UUID | None = Field(default=None, description="The ingest whose archived bytes were ingested again.")
    changed: str | None = Field(default=None, description="What was not as at the ingest replayed: app, table.")
    table: str | None = Field(default=None, description="keyspace.table the rows went to.")
    app: App | None = None
    rows_read: Count = 0
    rows_written: Count = 0
    rows_repeated: Count = Field(default=0, description="Of those written: the key of an earlier row, overwritten.")
    rows_rejected: Count = 0
    seconds: Seconds = Field(description="From the file's arrival to its outcome.")
    seconds_per_stage: dict[str, Seconds] = {}
    received_at: Moment
    finished_at: Moment
    first_rejected_rows: list[RejectedRow] = Field(default=[], max_length=ROWS_IN_RECEIPT)
    rejected_rows_file: str | None = Field(default=None, description="Every rejected row, one JSON a line.")
    moved_to: str | None = Field(default=None, description="Name below rejected/ where the file now is.")

    def with_problem(self, problem: Problem) -> Receipt:
        """Return the receipt with the problem's code, reason, advice and place."""
        facts: dict[str, Any] = {"code": problem.code, "reason": _utf8(problem.what), "advice": problem.advice}
        return self.model_copy(update={**facts, "line": problem.line, "column": problem.column})


def write_receipt(landing: Landing, receipt: Receipt, *, name: str, rejected_rows_path: Path | None = None) -> Path:
    """Write the receipt of the file called `name` (its raw name) and return its path. Safe to call again.

    `rejected_rows_path` (JSON Lines of RejectedRow, platform-private) is copied beside the receipt first, its
    head into the receipt; when it is gone because an earlier call already had it, the copy is used.

    Raises:
        TransientError: STORAGE_FULL.
    """
    landing.ensure()
    beside = landing.rejected_rows_file(receipt.ingest_id, name)
    if rejected_rows_path is not None and rejected_rows_path.exists():
        draft = beside.with_name(f".{beside.name}.part")
        with full_disk_is_transient(beside):
            shutil.copyfile(rejected_rows_path, draft)
        draft.chmod(0o600)
        move(draft, beside)
    if beside.exists():
        head = list(_head(beside))
        update: dict[str, Any] = {"rejected_rows_file": beside.name, "first_rejected_rows": head}
        receipt = receipt.model_copy(update=update)
    path = landing.receipt_file(receipt.ingest_id, name)
    write_whole(path, f"{receipt.model_dump_json(indent=2, exclude_none=True)}\n".encode())
    return path


def _head(rows_path: Path) -> Iterator[RejectedRow]:
    with rows_path.open("rb") as lines:
        for _, line in zip(range(ROWS_IN_RECEIPT), lines, strict=False):
            facts = json.loads(line)
            yield RejectedRow(
                **{
                    key: _utf8(value) if isinstance(value, str) else value
                    for key, value in facts.items()
                    if key in RejectedRow.model_fields
                }
            )


def _utf8(text: str) -> str:
    # JSON may spell half a surrogate pair, which no UTF-8 file can hold.
    return text.encode("utf-8", "backslashreplace").decode()


def read_receipt(path: Path) -> Receipt | None:
    """Return the receipt in `path`, or None when it is not one that this version understands."""
    try:
        return Receipt.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def json_schema() -> str:
    """Return the receipt's JSON schema as it is kept in docs/receipt.schema.json."""
    return f"{json.dumps(Receipt.model_json_schema(), indent=2, ensure_ascii=False)}\n"
