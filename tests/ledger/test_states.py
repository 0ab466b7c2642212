"""The states of a file: what may follow what."""

from __future__ import annotations

import pytest

from mysimbdp.ledger.states import FINAL, PENDING, State, may_become


@pytest.mark.parametrize("final", sorted(FINAL))
def test_a_final_state_never_changes(final: State) -> None:
    assert not any(may_become(final, state) for state in State)


@pytest.mark.parametrize("pending", sorted(PENDING))
def test_every_pending_state_can_end(pending: State) -> None:
    reached, frontier = set[State](), {pending}
    while frontier:
        reached |= frontier
        frontier = {new for old in frontier for new in State if may_become(old, new)} - reached
    assert reached & FINAL


def test_rows_land_only_from_a_claim() -> None:
    assert not may_become(State.RECEIVED, State.INGESTING)
    assert not may_become(State.RECEIVED, State.COMMITTED)
    assert not may_become(State.CLAIMED, State.COMMITTED)
