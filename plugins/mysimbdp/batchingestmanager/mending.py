"""What a killed run left lying about: entries held in the inbox, private folders that nobody needs any more."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import shutil
import time
from collections.abc import Collection
from pathlib import Path
from uuid import UUID

from mysimbdp.coredms.durability import life_of, until_durable
from mysimbdp.landing.layout import Landing
from mysimbdp.landing.names import safe_label
from mysimbdp.landing.removal import dispose, give_back, held_entries
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.record import FileRecord, is_unread
from mysimbdp.settings import settings

UNKNOWN_COPY_SECONDS = 86_400.0
"""A private copy that never became an arrival is a customer's who took the file back, or still being written."""


async def mend(ledger: Ledger, landing: Landing, pending: Collection[UUID], log: logging.Logger) -> None:
    """Bring leftovers of the tenant to where they belong; nothing that a live run has in its hands is touched.

    `pending` are the ingests that are not settled; it is read before this looks at the folders.
    """
    life = await life_of(ledger.session)
    for key, held in await asyncio.to_thread(held_entries, landing.inbox):
        ingest = _uuid(key)
        if ingest is not None and _age(held) > in_hand_seconds():
            await _mend_held(ledger, landing, ingest, held, log)
    for folder in await asyncio.to_thread(lambda: list(landing.staging_root.iterdir())):
        ingest = _uuid(folder.name)
        age = _age(folder)
        if ingest is None or ingest in pending or age <= in_hand_seconds():
            continue
        if await ledger.arrivals.find(landing.tenant_id, ingest) is None and age < UNKNOWN_COPY_SECONDS:
            continue
        if not await ledger.arrivals.is_pending_ingest(landing.tenant_id, ingest):
            await until_durable(ledger.session, life)
            log.info("removed the left-over private folder of %s", ingest)
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def in_hand_seconds() -> float:
    """How long something may lie between two steps of a live run."""
    return 2.0 * settings().lease_seconds


async def _mend_held(ledger: Ledger, landing: Landing, ingest: UUID, held: Path, log: logging.Logger) -> None:
    ref = await ledger.arrivals.find(landing.tenant_id, ingest)
    record = await ledger.files.find(ref) if ref else None
    if ref is None or record is None:
        log.warning("%s is nobody's; `mysimbdp audit` names it", held)
        return
    log.info("mending %s, held when its run was killed", safe_label(record.name))
    if is_unread(record.sha256):
        # While it is pending, `record` moves it on from staging and names the place in the receipt.
        is_pending = await ledger.arrivals.is_pending(ref)
        place = (landing.staged_file if is_pending else landing.rejected_file)(ingest, record.name)
        await asyncio.to_thread(_put, held, place)
    else:
        await asyncio.to_thread(_remove_or_give_back, held, landing, record)


def _put(held: Path, place: Path) -> None:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    dispose(held, place)


def _remove_or_give_back(held: Path, landing: Landing, record: FileRecord) -> None:
    """The bytes that were taken may go; anything the customer wrote into the file since is a new file."""
    try:
        with held.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if digest == record.sha256:
            held.unlink()
        else:
            give_back(held, landing.inbox_file(record.name))
    except FileNotFoundError:
        return  # another run was quicker


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _age(path: Path) -> float:
    """Seconds since the entry was last renamed or changed; 0 when it is gone."""
    try:
        return time.time() - path.lstat().st_ctime
    except FileNotFoundError:
        return 0.0
