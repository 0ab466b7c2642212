"""Where a tenant's files are on this platform, from the inbox to the archive."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from mysimbdp.errors import Code, Problem, TerminalError
from mysimbdp.landing.names import checked_component, extension_of, safe_label, shortened
from mysimbdp.settings import Settings

_TENANT = re.compile(r"[a-z][a-z0-9_]{1,30}")
_UUID_EPOCH = datetime(1582, 10, 15, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Landing:
    """The folders of one tenant. Nothing is created before `ensure`."""

    settings: Settings
    tenant_id: str

    def __post_init__(self) -> None:
        """Refuse an id that could lead out of the platform's folders (TerminalError, TENANT_UNKNOWN)."""
        if not _TENANT.fullmatch(self.tenant_id):
            what = f"{safe_label(self.tenant_id)!r} is not a tenant id"
            raise TerminalError(Problem(Code.TENANT_UNKNOWN, what))

    @property
    def inbox(self) -> Path:
        """The customer writes here."""
        return self.settings.landing_dir / self.tenant_id / "inbox"

    @property
    def receipts(self) -> Path:
        """The customer reads here what became of each file."""
        return self.settings.landing_dir / self.tenant_id / "receipts"

    @property
    def notice(self) -> Path:
        """Says, while the tenant is switched off, that its files wait and why."""
        return self.receipts / "DISABLED.txt"

    @property
    def rejected(self) -> Path:
        """The customer finds here what was not taken."""
        return self.settings.landing_dir / self.tenant_id / "rejected"

    @property
    def staging_root(self) -> Path:
        """The tenant's part of the platform-private staging folder."""
        return self.settings.staging_dir / self.tenant_id

    @property
    def archive_root(self) -> Path:
        """The tenant's committed files."""
        return self.settings.archive_dir / self.tenant_id

    def ensure(self) -> None:
        """Create the folders that are missing, readable by the platform's own user alone."""
        for folder in (self.inbox, self.receipts, self.rejected, self.staging_root, self.archive_root):
            private_folder(folder, below=self.settings.home)

    def inbox_file(self, name: str) -> Path:
        """Return the path of `name` in the inbox (raises FILE_NAME_NOT_ALLOWED for what is no plain name)."""
        return self.inbox / checked_component(name)

    def staging(self, ingest_id: UUID) -> Path:
        """The private folder of one ingest: its staged file, spools, rejected rows."""
        return self.staging_root / str(ingest_id)

    def staged_file(self, ingest_id: UUID, name: str) -> Path:
        """The private copy of the inbox's `name`."""
        return self.staging(ingest_id) / f"input-{shortened(name)}"

    def rejected_file(self, ingest_id: UUID, name: str) -> Path:
        """Where a rejected file is put for the customer to find."""
        stem, dot, extension = shortened(name).rpartition(".")
        return self.rejected / (f"{stem}.{ingest_id}.{extension}" if dot else f"{extension}.{ingest_id}")

    def receipt_file(self, ingest_id: UUID, name: str) -> Path:
        """The receipt of one ingest."""
        return self.receipts / f"{shortened(name)}.{ingest_id}.json"

    def purge_receipt_file(self, ingest_id: UUID, name: str) -> Path:
        """The receipt of the purge of one ingest, beside its receipt."""
        return self.receipts / f"{shortened(name)}.{ingest_id}.purged.json"

    def rejected_rows_file(self, ingest_id: UUID, name: str) -> Path:
        """Every rejected row of one ingest, beside its receipt."""
        return self.receipts / f"{shortened(name)}.{ingest_id}.rejected.jsonl"

    def archived_file(self, ingest_id: UUID, name: str) -> Path:
        """Where a committed file is kept: by the month in its ingest id, so that a retry finds the same place."""
        return self.archive_root / f"{moment_of(ingest_id):%Y-%m}" / f"{ingest_id}{extension_of(name)}"

    def archived_keys(self, ingest_id: UUID) -> Path:
        """The keys of a committed file's rows, beside where it was archived first."""
        return self.archive_root / f"{moment_of(ingest_id):%Y-%m}" / f"{ingest_id}.keys.parquet"


def moment_of(ingest_id: UUID) -> datetime:
    """Return when a time-based (version 1) ingest id was made, in UTC; ValueError for another kind."""
    if ingest_id.version != 1:
        raise ValueError(f"ingest id {ingest_id} is not a time-based UUID")
    return _UUID_EPOCH + timedelta(microseconds=ingest_id.time // 10)


def private_folder(folder: Path, *, below: Path) -> None:
    """Create `folder` and its missing parents below `below` with mode 0700, whatever the umask."""
    missing = [part for part in (folder, *folder.parents) if part.is_relative_to(below) and not part.exists()]
    for part in reversed(missing):
        part.mkdir(mode=0o700, parents=True, exist_ok=True)
