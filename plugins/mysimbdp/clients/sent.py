"""What fetchdata has sent already, by content: one line a file, outside the customer's own folder."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from mysimbdp.landing.completeness import Seen
from mysimbdp.landing.names import safe_label


@dataclass(frozen=True, slots=True)
class Sent:
    """One file that was sent: its label, content, what it looked like, and when (UTC, ISO 8601)."""

    file: str
    sha256: str
    size: int
    mtime_ns: int
    inode: int
    sent_at: str


class SentLog:
    """The memory of one tenant's fetchdata towards one landing."""

    def __init__(self, state_folder: Path, tenant_id: str, destination: str) -> None:
        """`destination` tells landings apart: what went to one is unknown to another."""
        where = hashlib.sha256(destination.encode(errors="surrogateescape")).hexdigest()[:12]
        self.path = state_folder / f"{tenant_id}-{where}.jsonl"
        self._by_content: dict[str, Sent] = {}
        self._by_look: dict[tuple[str, int, int, int], str] = {}
        self._read()

    def __iter__(self) -> Iterator[Sent]:
        """What was sent, each content once, as it was sent last."""
        return iter(self._by_content.values())

    def find(self, sha256: str) -> Sent | None:
        """Return how these bytes were sent, or None."""
        return self._by_content.get(sha256)

    def known_digest(self, seen: Seen) -> str | None:
        """Return the digest of a file that looks as it did when it was sent, to save reading it again."""
        return self._by_look.get((safe_label(seen.name), seen.size, seen.mtime_ns, seen.inode))

    def add(self, seen: Seen, sha256: str) -> None:
        """Remember that `seen` was sent, for good."""
        now = datetime.now(tz=UTC).isoformat(timespec="milliseconds")
        entry = Sent(safe_label(seen.name), sha256, seen.size, seen.mtime_ns, seen.inode, now)
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        line = f"{json.dumps(asdict(entry))}\n".encode()
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, line)
            os.fsync(handle)
        finally:
            os.close(handle)
        self._keep(entry)

    @contextmanager
    def only_one(self) -> Iterator[None]:
        """Wait until no other fetchdata sends for this tenant to this landing, and keep others waiting."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._read()  # what the other one sent meanwhile
            yield

    def _read(self) -> None:
        if not self.path.exists():
            return
        for line in self.path.read_text().splitlines():
            try:
                self._keep(Sent(**json.loads(line)))
            except (ValueError, TypeError):
                continue  # the half line of a process that was killed: its file is sent again, a duplicate at most

    def _keep(self, entry: Sent) -> None:
        self._by_content[entry.sha256] = entry
        self._by_look[entry.file, entry.size, entry.mtime_ns, entry.inode] = entry.sha256
