"""One file's record in the ledger, as data."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from urllib.parse import quote, unquote_to_bytes
from uuid import UUID

from mysimbdp.errors import Code, Problem
from mysimbdp.landing.names import safe_label
from mysimbdp.ledger.states import State
from mysimbdp.tenants.model import FileFormat


@dataclass(frozen=True, slots=True)
class Ref:
    """Names one record: what tasks hand to one another."""

    tenant: str
    sha256: str
    ingest_id: UUID

    def as_json(self) -> dict[str, str]:
        """For an Airflow XCom."""
        return {"tenant": self.tenant, "sha256": self.sha256, "ingest_id": str(self.ingest_id)}

    @classmethod
    def from_json(cls, facts: dict[str, str]) -> Self:
        """The inverse of `as_json`."""
        return cls(facts["tenant"], facts["sha256"], UUID(facts["ingest_id"]))


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A row of `files`. Times are UTC, `seconds` is per stage, sizes are bytes.

    While a file is pending, `rows_written` is its checkpoint: so many rows of its spool are durable in coredms.
    `rows_repeated` are those of the rows written whose key an earlier row of the file had (None: ingested before this
    was counted). A replay names the ingest it repeats in `replay_of`; in `displaced` too when it took the claim on the
    bytes from it, and `changed` says what was not as then.
    """

    tenant: str
    sha256: str
    ingest_id: UUID
    live_ingest: UUID | None = None
    holder: str | None = None
    name: str = ""
    size: int = 0
    state: State = State.RECEIVED
    run_id: str | None = None
    table_name: str | None = None
    file_format: FileFormat | None = None
    app: str | None = None
    app_version: str | None = None
    app_digest: str | None = None
    write_timestamp: int | None = None
    attempts: int = 0
    failures: int = 0
    rows_read: int = 0
    rows_written: int = 0
    rows_repeated: int | None = None
    rows_rejected: int = 0
    bytes_written: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    problem: Problem | None = None
    duplicate_of: UUID | None = None
    received_at: datetime | None = None
    claimed_at: datetime | None = None
    finished_at: datetime | None = None
    archived: str | None = None
    replay_of: UUID | None = None
    displaced: UUID | None = None
    changed: str | None = None
    rows_purged: int | None = None
    purge_begun_at: datetime | None = None
    purged_at: datetime | None = None
    pruned: frozenset[str] = frozenset()
    """What of the file retention has removed: `archive`, `receipts`, `rejected`; `ledger`: this record goes next."""

    @property
    def ref(self) -> Ref:
        """The record's name."""
        return Ref(self.tenant, self.sha256, self.ingest_id)

    @property
    def holds_claim(self) -> bool:
        """True while these bytes are this ingest's: claimed, being ingested or committed."""
        return self.live_ingest == self.ingest_id

    @property
    def is_stored(self) -> bool:
        """True for a committed file that was not purged."""
        return self.state is State.COMMITTED and self.purged_at is None

    @property
    def is_leaving(self) -> bool:
        """True once retention has begun to remove the record itself."""
        return "ledger" in self.pruned

    @property
    def total_seconds(self) -> float:
        """From arrival to the final state; 0 while pending."""
        if self.received_at is None or self.finished_at is None:
            return 0.0
        return (self.finished_at - self.received_at).total_seconds()

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Self:
        """Build from a row of `files`; absent counts are 0."""
        known = {key: value for key, value in row.items() if value is not None and key in cls.__slots__}
        if "name" in known:
            known["name"] = name_from_text(known["name"])
        if "state" in known:
            known["state"] = State(known["state"])
        if "problem" in known:
            known["problem"] = problem_from_json(known["problem"])
        if "seconds" in known:
            known["seconds"] = dict(known["seconds"])
        if "pruned" in known:
            known["pruned"] = frozenset(known["pruned"])
        return cls(**known)

    def as_dict(self) -> dict[str, Any]:
        """The facts for `ledger list --json`: stable names, JSON types."""
        return {
            "tenant": self.tenant,
            "ingest_id": str(self.ingest_id),
            "file": safe_label(self.name),
            "sha256": None if is_unread(self.sha256) else self.sha256,
            "state": str(self.state),
            "table": self.table_name,
            "app": self.app,
            "app_version": self.app_version,
            "rows_read": self.rows_read,
            "rows_written": self.rows_written,
            "rows_repeated": self.rows_repeated,
            "rows_rejected": self.rows_rejected,
            "bytes": self.size,
            "seconds": round(self.total_seconds, 3),
            "seconds_by_stage": {stage: round(taken, 3) for stage, taken in sorted(self.seconds.items())},
            "attempts": self.attempts,
            "error_code": str(self.problem.code) if self.problem else None,
            "reason": self.problem.what if self.problem else None,
            "duplicate_of": str(self.duplicate_of) if self.duplicate_of else None,
            "replay_of": str(self.replay_of) if self.replay_of else None,
            "changed": self.changed,
            "rows_purged": self.rows_purged,
            "archived": "pruned" if "archive" in self.pruned else self.archived,
            "run_id": self.run_id,
            "received_at": _iso(self.received_at),
            "finished_at": _iso(self.finished_at),
            "purged_at": _iso(self.purged_at),
        }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None


def unread_digest(ingest: UUID) -> str:
    """Stands for the sha256 of a file whose bytes were never read (too large, not a file, …)."""
    return f"unread:{ingest}"


def is_unread(sha256: str) -> bool:
    """True for what `unread_digest` made."""
    return sha256.startswith("unread:")


def problem_to_json(problem: Problem) -> str:
    """A Problem for the ledger's text column."""
    return json.dumps(problem.as_dict(), ensure_ascii=False)


def problem_from_json(text: str) -> Problem:
    """The inverse of `problem_to_json`."""
    facts = json.loads(text)
    return Problem(
        code=Code(facts["code"]),
        what=facts["what"],
        file=facts.get("file"),
        line=facts.get("line"),
        column=facts.get("column"),
        value=facts.get("value"),
    )


def name_to_text(name: str) -> str:
    """A file name as a text column can hold it: one that is not UTF-8 is percent-quoted behind a slash.

    No file name has a slash, so `name_from_text` gives back every name exactly.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        return f"/{quote(os.fsencode(name), safe=' ')}"
    return name


def name_from_text(text: str) -> str:
    """The inverse of `name_to_text`."""
    return os.fsdecode(unquote_to_bytes(text[1:])) if text.startswith("/") else text
