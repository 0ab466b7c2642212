"""Policy of taking over: what a dead run left is rung for, each time after a longer pause."""

from __future__ import annotations

from uuid import uuid1

from mysimbdp.batchingestmanager.takeovers import TakeoverBook
from mysimbdp.ledger.arrivals import Pending
from mysimbdp.ledger.record import Ref

from .test_rings import Clock


def pending(run_id: str | None = "run-1") -> Pending:
    return Pending(Ref("t", "00", uuid1()), "a.csv", run_id)


def test_an_abandoned_file_is_taken_over_at_once() -> None:
    item = pending()
    takeover = TakeoverBook("t", Clock()).due([item])
    assert takeover is not None
    assert takeover.refs == (item.ref,)


def test_the_same_file_is_taken_over_again_only_after_a_pause_and_under_another_name() -> None:
    clock, item = Clock(), pending()
    book = TakeoverBook("t", clock)
    first = book.due([item])
    assert first is not None
    book.accepted(first)
    assert book.due([item]) is None
    clock.now = 5
    second = book.due([item])
    assert second is not None
    assert second.run_id != first.run_id


def test_a_file_that_is_settled_is_forgotten() -> None:
    clock, item = Clock(), pending()
    book = TakeoverBook("t", clock)
    first = book.due([item])
    assert first is not None
    book.accepted(first)
    assert book.due([]) is None
    assert book.due([item]) is not None
