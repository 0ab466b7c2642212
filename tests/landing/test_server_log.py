from __future__ import annotations

import multiprocessing
import re

import pytest

from hostile_names import ALL
from mysimbdp.landing.server_log import log_ingested, log_problem
from mysimbdp.settings import Settings

STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}"


def lines(settings: Settings) -> list[str]:
    return (settings.logs_dir / "server.log").read_text().splitlines()


def test_success_has_the_line_the_platform_always_had(settings: Settings) -> None:
    message = log_ingested(settings, "apps.csv", size_bytes=1234, seconds=1.5)
    expected = "apps.csv was correctly ingested into mysimbdp-coredms. File size: 1234 -- Total ingestion time: 1.500"
    assert message == expected
    assert re.fullmatch(f"{STAMP} :: INFO :: mysimbdp : {re.escape(expected)}", lines(settings)[0])


def test_failure_has_the_line_the_platform_always_had(settings: Settings) -> None:
    message = log_problem(settings, "apps.csv", "ENCODING_INVALID: not UTF-8")
    assert message == "Problem while ingesting apps.csv: ENCODING_INVALID: not UTF-8"
    assert re.fullmatch(f"{STAMP} :: WARNING :: mysimbdp : {re.escape(message)}", lines(settings)[0])


@pytest.mark.parametrize("case", ALL)
def test_no_name_can_forge_a_line(settings: Settings, case: str) -> None:
    log_ingested(settings, ALL[case], size_bytes=1, seconds=1)
    log_problem(settings, ALL[case], "no")
    assert len(lines(settings)) == 2


def test_no_reason_can_forge_a_line_or_flood_the_log(settings: Settings) -> None:
    log_problem(settings, "a.csv", "x\n2026-11-23 12:00:00,000 :: INFO :: mysimbdp : forged" + "y" * 100_000)
    assert len(lines(settings)) == 1
    assert len(lines(settings)[0]) < 2200


def test_a_label_quoted_in_a_reason_is_not_escaped_twice(settings: Settings) -> None:
    assert log_problem(settings, "a.csv", "see a\\u000ab").endswith("see a\\u000ab")


def write_many(settings: Settings, who: int) -> None:
    for _ in range(200):
        log_problem(settings, f"{who}.csv", str(who) * 500)


def test_lines_of_many_processes_never_mix(settings: Settings) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_many, args=(settings, who)) for who in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = lines(settings)
    assert len(found) == 800
    assert all(re.search(r": (\d)\.csv: \1{500}$", line.replace("Problem while ingesting ", "")) for line in found)
