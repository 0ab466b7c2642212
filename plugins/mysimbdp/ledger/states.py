"""The states of a file and the transitions between them; anything else is a bug and is refused."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """received → claimed → ingesting → committed | rejected | failed; or received → duplicate."""

    RECEIVED = "received"
    CLAIMED = "claimed"
    INGESTING = "ingesting"
    COMMITTED = "committed"
    REJECTED = "rejected"
    FAILED = "failed"
    DUPLICATE = "duplicate"

    @property
    def is_final(self) -> bool:
        """A final state never changes again."""
        return self in FINAL


FINAL = frozenset({State.COMMITTED, State.REJECTED, State.FAILED, State.DUPLICATE})

PENDING = frozenset(State) - FINAL

TRANSITIONS: dict[State, frozenset[State]] = {
    # A file that cannot be read or breaks a constraint is rejected without ever being claimed.
    State.RECEIVED: frozenset({State.CLAIMED, State.DUPLICATE, State.REJECTED}),
    # A claim meets its quota only after it is won, so it can still be rejected before the app runs.
    State.CLAIMED: frozenset({State.INGESTING, State.REJECTED, State.FAILED}),
    # A take-over ingests again what a dead run had begun.
    State.INGESTING: frozenset({State.INGESTING, State.COMMITTED, State.REJECTED, State.FAILED}),
    **dict.fromkeys(FINAL, frozenset[State]()),
}


def may_become(old: State, new: State) -> bool:
    """True when the ledger allows `old` → `new`."""
    return new in TRANSITIONS[old]
