"""Policy: for which complete files a tenant's DAG is rung, and when again.

A ring claims nothing; it only starts a run. So a file is rung again when its run has ended and it still lies in
the inbox, each time after a longer pause. While a few rings of a tenant are unanswered, further files collect
and share the next ring: ten thousand small files start a handful of runs, not ten thousand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from mysimbdp.landing.completeness import Seen

MOST_UNANSWERED = 3
MOST_FILES_IN_A_RING = 1000
FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0


def pause_before(attempt: int) -> float:
    """Seconds between the end of attempt - 1 and attempt (2, 3, …): doubling, at most five minutes."""
    return float(min(FIRST_PAUSE_SECONDS * 2 ** (attempt - 2), LONGEST_PAUSE_SECONDS))


@dataclass(frozen=True, slots=True)
class Ring:
    """A run to be started for these files."""

    tenant: str
    run_id: str
    files: tuple[Seen, ...]
    attempt: int


@dataclass(slots=True)
class _Rung:
    run_id: str
    attempt: int
    ended_at: float | None = None


@dataclass(slots=True)
class RingBook:
    """What has been rung for one tenant. `clock` gives seconds and never goes back."""

    tenant: str
    clock: Callable[[], float]
    _rung: dict[Seen, _Rung] = field(default_factory=dict)

    def due(self, complete: Iterable[Seen]) -> Ring | None:
        """The next ring, or None when there is nothing to ring for now."""
        present = list(complete)
        self._forget_all_but(present)
        if len(self.unanswered()) >= MOST_UNANSWERED:
            return None
        files = [seen for seen in present if self._is_due(seen)][:MOST_FILES_IN_A_RING]
        if not files:
            return None
        attempt = 1 + max((self._rung[seen].attempt for seen in files if seen in self._rung), default=0)
        return Ring(self.tenant, f"inbox__{_digest(files)}__{attempt}", tuple(files), attempt)

    def knows(self, seen: Seen) -> bool:
        """True when this very file was rung for before."""
        return seen in self._rung

    def accepted(self, ring: Ring) -> None:
        """Airflow has the run, or had it already."""
        for seen in ring.files:
            self._rung[seen] = _Rung(ring.run_id, ring.attempt)

    def unanswered(self) -> set[str]:
        """Runs started whose files are still in the inbox; their state is worth asking for."""
        return {rung.run_id for rung in self._rung.values() if rung.ended_at is None}

    def ended(self, run_id: str) -> None:
        """The run is over; whatever of its files is still there may be rung for again, after a pause."""
        for rung in self._rung.values():
            if rung.run_id == run_id and rung.ended_at is None:
                rung.ended_at = self.clock()

    def _is_due(self, seen: Seen) -> bool:
        rung = self._rung.get(seen)
        if rung is None:
            return True
        return rung.ended_at is not None and self.clock() >= rung.ended_at + pause_before(rung.attempt + 1)

    def _forget_all_but(self, present: list[Seen]) -> None:
        there = set(present)
        for seen in [seen for seen in self._rung if seen not in there]:
            del self._rung[seen]


def _digest(files: list[Seen]) -> str:
    text = "\0".join(f"{seen.name}\1{seen.inode}\1{seen.ctime_ns}\1{seen.size}" for seen in files)
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:20]
