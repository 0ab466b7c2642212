"""The identity of a drop: derived, so that repeating a step changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime

from mysimbdp.ledger.identity import arrival_time, ingest_id, month_of

NOON = 1_795_435_200_000_000_000
DROP = {"inode": 7, "ctime_ns": NOON, "size": 10}


def test_the_same_drop_has_the_same_id() -> None:
    assert ingest_id("t", "a.csv", **DROP) == ingest_id("t", "a.csv", **DROP)


def test_each_part_of_a_drop_counts() -> None:
    ids = {
        ingest_id("t", "a.csv", **DROP),
        ingest_id("u", "a.csv", **DROP),
        ingest_id("t", "b.csv", **DROP),
        *(ingest_id("t", "a.csv", **{**DROP, part: DROP[part] + 100}) for part in DROP),
    }
    assert len(ids) == 6


def test_it_is_a_timeuuid_of_the_time_of_the_drop() -> None:
    ingest = ingest_id("t", "a.csv", **DROP)
    assert ingest.version == 1
    assert arrival_time(ingest) == datetime.fromtimestamp(NOON / 1e9, tz=UTC)
    assert month_of(ingest) == "2026-11"


def test_names_that_are_not_utf8_are_names_too() -> None:
    assert ingest_id("t", "a\udcff.csv", **DROP) != ingest_id("t", "a\udcfe.csv", **DROP)
