"""A tenant's switch: which moves there are, and that two operators cannot cross."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from tests.scenarios.customers import in_ledger

from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.switches import Standing, Switch
from mysimbdp.onebox.onebox import Onebox

pytestmark = pytest.mark.onebox

DISABLED, REMOVING, REMOVED = Standing.DISABLED, Standing.REMOVING, Standing.REMOVED


def move(name: str, state: Standing | None, allowed: list[Standing | None], reason: str = "") -> Switch | None:
    return in_ledger(lambda ledger: ledger.switches.move(name, state, reason=reason, allowed=allowed))


@pytest.mark.parametrize(
    ("before", "wanted", "allowed", "after"),
    [
        (None, DISABLED, [None], DISABLED),
        (DISABLED, DISABLED, [None], DISABLED),
        (DISABLED, None, [DISABLED], None),
        (None, None, [DISABLED], None),
        (DISABLED, REMOVING, [DISABLED], REMOVING),
        (REMOVING, None, [DISABLED, REMOVED], REMOVING),
        (REMOVING, DISABLED, [None], REMOVING),
        (REMOVED, None, [DISABLED, REMOVED], None),
    ],
)
def test_a_switch_moves_where_it_may_and_is_found_afterwards(
    before: Standing | None,
    wanted: Standing | None,
    allowed: list[Standing | None],
    after: Standing | None,
    coredms_only: Onebox,
) -> None:
    name = f"w{uuid.uuid4().hex[:12]}"
    if before is not None:
        move(name, before, [None], "first")
    found = move(name, wanted, allowed, "second")
    assert (found.state if found else None) == after
    assert in_ledger(lambda ledger: ledger.switches.find(name)) == found
    assert in_ledger(lambda ledger: ledger.switches.all()).get(name) == found
    if found is not None:
        assert found.reason == ("first" if before == after else "second"), "who comes late changes nothing"
        assert found.reason in found.problem.what


def test_of_two_operators_at_once_one_wins(coredms_only: Onebox) -> None:
    name = f"w{uuid.uuid4().hex[:12]}"

    async def both(ledger: Ledger) -> list[Switch | None]:
        moves = [ledger.switches.move(name, DISABLED, reason=reason, allowed=[None]) for reason in "ab"]
        return await asyncio.gather(*moves)

    one, other = in_ledger(both)
    assert one == other
    in_ledger(lambda ledger: ledger.switches.move(name, None, allowed=[DISABLED]))
