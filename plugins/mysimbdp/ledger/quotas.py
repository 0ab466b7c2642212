"""What a tenant has stored, exact under concurrency: sums and single reservations change in one transaction."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from mysimbdp.errors import Code, Problem, TransientError
from mysimbdp.ledger.schema import LEDGER_KEYSPACE
from mysimbdp.ledger.statements import Statements

_QUOTAS = f"{LEDGER_KEYSPACE}.quotas"
_SUMS = f"SELECT files_used, bytes_used FROM {_QUOTAS} WHERE tenant = ? LIMIT 1"
_ONE = f"SELECT bytes FROM {_QUOTAS} WHERE tenant = ? AND ingest_id = ?"
_ALL = f"SELECT ingest_id, bytes, forgotten FROM {_QUOTAS} WHERE tenant = ?"
# The row's own condition too: between our look and our change, sums may have come back to what they were.
_CHANGE = f"""BEGIN BATCH
UPDATE {_QUOTAS} SET files_used = ?, bytes_used = ? WHERE tenant = ? IF files_used = ? AND bytes_used = ?;
{{row}};
APPLY BATCH"""
_RESERVE = _CHANGE.format(row=f"INSERT INTO {_QUOTAS} (tenant, ingest_id, bytes) VALUES (?, ?, ?) IF NOT EXISTS")
_FREE = _CHANGE.format(row=f"DELETE FROM {_QUOTAS} WHERE tenant = ? AND ingest_id = ? IF EXISTS")
_PASS_ON = f"""BEGIN BATCH
DELETE FROM {_QUOTAS} WHERE tenant = ? AND ingest_id = ? IF EXISTS;
INSERT INTO {_QUOTAS} (tenant, ingest_id, bytes) VALUES (?, ?, ?) IF NOT EXISTS;
APPLY BATCH"""
_FORGET = f"UPDATE {_QUOTAS} SET forgotten = ? WHERE tenant = ? AND ingest_id = ? IF EXISTS"
TRIES = 200
LONGEST_PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Stored:
    """What a tenant has stored: number of files, bytes."""

    files: int
    bytes: int


class Quotas:
    """Reserves and frees storage of tenants."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def stored(self, tenant: str) -> Stored:
        """What is stored or being ingested now."""
        files, size = await self._sums(tenant)
        return Stored(files or 0, size or 0)

    async def reservations(self, tenant: str) -> Mapping[UUID, int]:
        """Bytes by ingest, for the audit."""
        rows = await self._statements.run(_ALL, tenant)
        return {row["ingest_id"]: row["bytes"] for row in rows if row["ingest_id"] is not None}

    async def reserve(self, tenant: str, ingest: UUID, size: int, *, files: int, bytes_: int) -> Problem | None:
        """Reserve room for one file below the limits `files` and `bytes_`; the Problem when there is none.

        Reserving again for the same ingest changes nothing.
        """
        for _ in range(TRIES):
            files_used, bytes_used = await self._sums(tenant)
            if await self._statements.run(_ONE, tenant, ingest):
                return None
            new_files, new_bytes = (files_used or 0) + 1, (bytes_used or 0) + size
            if new_files > files:
                return Problem(Code.QUOTA_FILES, f"{files_used or 0} of max_nb_files {files} files are stored already")
            if new_bytes > bytes_:
                what = f"{bytes_used or 0} of max_file_size {bytes_} bytes are stored; {size} more do not fit"
                return Problem(Code.QUOTA_BYTES, what)
            applied, _found = await self._statements.applies(
                _RESERVE, new_files, new_bytes, tenant, files_used, bytes_used, tenant, ingest, size
            )
            if applied:
                return None
            await _pause()
        raise _contended(tenant)

    async def free(self, tenant: str, ingest: UUID) -> None:
        """Give the room of one file back; freeing again changes nothing."""
        for _ in range(TRIES):
            files_used, bytes_used = await self._sums(tenant)
            held = await self._statements.run(_ONE, tenant, ingest)
            if not held:
                return
            new_files, new_bytes = (files_used or 0) - 1, (bytes_used or 0) - held[0]["bytes"]
            applied, _found = await self._statements.applies(
                _FREE, new_files, new_bytes, tenant, files_used, bytes_used, tenant, ingest
            )
            if applied:
                return
            await _pause()
        raise _contended(tenant)

    async def pass_on(self, tenant: str, old: UUID, new: UUID) -> None:
        """The room of ingest `old` is that of `new` from now on; the sums stay. Passing on again changes nothing."""
        held = await self._statements.run(_ONE, tenant, old)
        if held:
            await self._statements.applies(_PASS_ON, tenant, old, tenant, new, held[0]["bytes"])

    async def forget(self, tenant: str, ingest: UUID, write_timestamp: int) -> None:
        """The ledger forgets a stored file, and its rows stay: so does its room, and this is all that names them."""
        await self._statements.applies(_FORGET, write_timestamp, tenant, ingest)

    async def forgotten(self, tenant: str) -> Mapping[UUID, int]:
        """Write timestamps, by ingest, of stored files whose record is gone."""
        rows = await self._statements.run(_ALL, tenant)
        return {row["ingest_id"]: row["forgotten"] for row in rows if row["forgotten"] is not None}

    async def _sums(self, tenant: str) -> tuple[int | None, int | None]:
        rows = await self._statements.run(_SUMS, tenant)
        return (rows[0]["files_used"], rows[0]["bytes_used"]) if rows else (None, None)


async def _pause() -> None:
    """Others are at the same row: a random wait lets one of them through."""
    await asyncio.sleep(random.uniform(0, LONGEST_PAUSE_SECONDS))  # noqa: S311  # no secret depends on it


def _contended(tenant: str) -> TransientError:
    return TransientError(Problem(Code.COREDMS_OVERLOADED, f"the quota row of {tenant} is too busy"))
