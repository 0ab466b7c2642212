"""Policy of ringing: what is rung for, when again, and how much at once."""

from __future__ import annotations

from mysimbdp.batchingestmanager.rings import (
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    MOST_FILES_IN_A_RING,
    MOST_UNANSWERED,
    Ring,
    RingBook,
    pause_before,
)
from mysimbdp.landing.completeness import Seen


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def file(name: str, *, inode: int = 1, size: int = 10) -> Seen:
    return Seen(name, size, 1, 1, inode)


def rung(book: RingBook, *files: Seen) -> Ring:
    ring = book.due(files)
    assert ring is not None
    book.accepted(ring)
    return ring


def test_a_complete_file_is_rung_for_once() -> None:
    book = RingBook("t", Clock())
    assert rung(book, file("a")).files == (file("a"),)
    assert book.due([file("a")]) is None


def test_a_ring_that_airflow_did_not_accept_is_repeated_under_the_same_name() -> None:
    book = RingBook("t", Clock())
    first, second = book.due([file("a")]), book.due([file("a")])
    assert first == second


def test_a_new_file_gets_a_ring_of_its_own_while_an_earlier_one_is_unanswered() -> None:
    book = RingBook("t", Clock())
    rung(book, file("a"))
    assert rung(book, file("a"), file("b")).files == (file("b"),)


def test_files_collect_while_too_many_rings_are_unanswered() -> None:
    book = RingBook("t", Clock())
    files = [file(f"f{number}") for number in range(MOST_UNANSWERED + 5)]
    for count in range(1, MOST_UNANSWERED + 1):
        rung(book, *files[:count])
    assert book.due(files) is None
    assert len(rung(book, *files[1:]).files) == 5, "an answered ring makes room for all that collected"


def test_a_ring_names_at_most_a_thousand_files() -> None:
    book = RingBook("t", Clock())
    assert len(rung(book, *(file(str(n)) for n in range(MOST_FILES_IN_A_RING + 1))).files) == MOST_FILES_IN_A_RING


def test_a_file_whose_run_ended_without_taking_it_is_rung_for_again_after_a_pause() -> None:
    clock = Clock()
    book = RingBook("t", clock)
    first = rung(book, file("a"))
    clock.now = 100
    assert book.due([file("a")]) is None, "its run is still under way"
    book.ended(first.run_id)
    assert book.due([file("a")]) is None, "not at once"
    clock.now += FIRST_PAUSE_SECONDS
    again = rung(book, file("a"))
    assert again.attempt == 2
    assert again.run_id != first.run_id


def test_pauses_double_up_to_five_minutes() -> None:
    assert [pause_before(attempt) for attempt in (2, 3, 4)] == [5, 10, 20]
    assert pause_before(50) == LONGEST_PAUSE_SECONDS


def test_a_file_replaced_under_the_same_name_is_a_new_file() -> None:
    book = RingBook("t", Clock())
    rung(book, file("a", inode=1))
    assert rung(book, file("a", inode=2)).attempt == 1


def test_a_file_that_left_the_inbox_is_forgotten() -> None:
    book = RingBook("t", Clock())
    rung(book, file("a"))
    assert book.due([]) is None
    assert book.unanswered() == set()
