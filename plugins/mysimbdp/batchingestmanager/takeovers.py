"""Policy: which pending files are rung for because the run that looked after them has ended without a verdict."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from mysimbdp.batchingestmanager.rings import pause_before
from mysimbdp.ledger.arrivals import Pending
from mysimbdp.ledger.record import Ref

MOST_FILES_IN_A_TAKEOVER = 1000


@dataclass(frozen=True, slots=True)
class Takeover:
    """A run to be started that adopts these files."""

    tenant: str
    run_id: str
    refs: tuple[Ref, ...]


@dataclass(slots=True)
class TakeoverBook:
    """What was taken over how often, for one tenant. `clock` gives seconds and never goes back."""

    tenant: str
    clock: Callable[[], float]
    _attempts: dict[Ref, tuple[int, float]] = field(default_factory=dict)

    def due(self, abandoned: Iterable[Pending]) -> Takeover | None:
        """The run to start for files whose own run has ended, or None; each time after a longer pause."""
        there = {item.ref: item for item in abandoned}
        self._attempts = {ref: tried for ref, tried in self._attempts.items() if ref in there}
        due = sorted((ref for ref in there if self._is_due(ref)), key=lambda ref: str(ref.ingest_id))
        refs = tuple(due[:MOST_FILES_IN_A_TAKEOVER])
        if not refs:
            return None
        attempt = 1 + max(self._attempts.get(ref, (0, 0.0))[0] for ref in refs)
        text = "\0".join(f"{ref.ingest_id}{there[ref].run_id}" for ref in refs)
        digest = hashlib.sha256(text.encode()).hexdigest()[:20]
        return Takeover(self.tenant, f"takeover__{digest}__{attempt}", refs)

    def accepted(self, takeover: Takeover) -> None:
        """Airflow has the run, or had it already."""
        for ref in takeover.refs:
            tried, _ = self._attempts.get(ref, (0, 0.0))
            self._attempts[ref] = (tried + 1, self.clock())

    def _is_due(self, ref: Ref) -> bool:
        if ref not in self._attempts:
            return True
        tried, at = self._attempts[ref]
        return self.clock() >= at + pause_before(tried + 1)
