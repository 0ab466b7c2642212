"""The identity of one drop. It is derived, not drawn, so that repeating a step after a crash changes nothing."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from uuid import UUID

# 100 ns ticks between the UUID epoch (1582-10-15) and the Unix epoch, RFC 9562 section 5.1.
_UUID_EPOCH_TICKS = 0x01B21DD213814000


def ingest_id(tenant: str, name: str, *, inode: int, ctime_ns: int, size: int) -> UUID:
    """Return the timeuuid of a drop: its time is the file's ctime, the rest a digest of what it is.

    The same file seen twice gives the same id; the same bytes dropped again give another, because a new
    directory entry cannot keep both inode and ctime.
    """
    fingerprint = f"{tenant}\0{name}\0{inode}\0{ctime_ns}\0{size}".encode(errors="surrogateescape")
    return _timeuuid(ctime_ns, hashlib.sha256(fingerprint).digest())


def _timeuuid(time_ns: int, noise: bytes) -> UUID:
    ticks = time_ns // 100 + _UUID_EPOCH_TICKS
    return UUID(
        fields=(
            ticks & 0xFFFFFFFF,
            (ticks >> 32) & 0xFFFF,
            ((ticks >> 48) & 0x0FFF) | 0x1000,
            (noise[0] & 0x3F) | 0x80,
            noise[1],
            int.from_bytes(noise[2:8]) | 0x010000000000,  # the multicast bit: not a real network card
        )
    )


def arrival_time(ingest: UUID) -> datetime:
    """The time in an ingest id, UTC."""
    return datetime.fromtimestamp((ingest.time - _UUID_EPOCH_TICKS) / 10_000_000, tz=UTC)


def month_of(ingest: UUID) -> str:
    """The ledger partition an ingest belongs to, e.g. `2026-11`."""
    return f"{arrival_time(ingest):%Y-%m}"
