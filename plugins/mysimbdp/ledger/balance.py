"""received = committed + rejected + failed + duplicate + pending, for files and for rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from mysimbdp.ledger.record import FileRecord
from mysimbdp.ledger.states import State


@dataclass(slots=True)
class Balance:
    """The two sums of one tenant. Rows of a file count once its app was run."""

    tenant: str
    files: Counter[str] = field(default_factory=Counter)
    rows_read: int = 0
    rows_committed: int = 0
    rows_rejected: int = 0
    rows_pending: int = 0

    @property
    def received(self) -> int:
        """Every file that ever arrived."""
        return sum(self.files.values())

    @property
    def pending(self) -> int:
        """Files without a verdict."""
        return sum(count for state, count in self.files.items() if not State(state).is_final)

    def as_dict(self) -> dict[str, object]:
        """For tables and JSON."""
        final = {str(state): self.files[str(state)] for state in (State.COMMITTED, State.REJECTED, State.FAILED)}
        return {
            "tenant": self.tenant,
            "received": self.received,
            **final,
            "duplicate": self.files[str(State.DUPLICATE)],
            "pending": self.pending,
            "rows_read": self.rows_read,
            "rows_committed": self.rows_committed,
            "rows_rejected": self.rows_rejected,
            "rows_pending": self.rows_pending,
        }


def balance_of(tenant: str, records: Iterable[FileRecord]) -> Balance:
    """Add the records of one tenant up."""
    balance = Balance(tenant)
    for record in records:
        balance.files[str(record.state)] += 1
        balance.rows_read += record.rows_read
        if record.state.is_final:
            balance.rows_committed += record.rows_written
            balance.rows_rejected += record.rows_rejected
        else:
            balance.rows_pending += record.rows_read
    return balance
