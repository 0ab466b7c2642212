from __future__ import annotations

import os
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostile_names import ALL, REFUSED, WELCOME
from mysimbdp.errors import Code, TerminalError
from mysimbdp.landing.names import (
    checked_component,
    extension_of,
    is_temporary,
    name_problem,
    safe_label,
    shortened,
)

file_names = st.binary(min_size=1, max_size=255).filter(lambda name: b"/" not in name and b"\0" not in name)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("apps.csv", "apps.csv"),
        ("my apps.csv", "my apps.csv"),
        ("приложения.csv", "приложения.csv"),
        ("a\nb.csv", "a\\nb.csv"),
        ("a\\nb.csv", "a\\\\nb.csv"),
        ("\x1b[2J", "\\u001b[2J"),
        ("a\u202eb", "a\\u202eb"),
        (b"caf\xe9.csv", "caf\\xe9.csv"),
        ("\u00e9", "\u00e9"),
    ],
)
def test_label_shows_what_a_name_is_made_of(name: str | bytes, label: str) -> None:
    assert safe_label(name) == label


@given(file_names)
def test_label_is_one_printable_line_of_utf8(name: bytes) -> None:
    label = safe_label(name)
    label.encode()
    assert not {unicodedata.category(char) for char in label} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(file_names, file_names)
def test_two_names_never_share_a_label(one: bytes, other: bytes) -> None:
    assert (safe_label(one) == safe_label(other)) == (one == other)


@given(file_names)
def test_shortened_names_are_safe_components(name: bytes) -> None:
    short = shortened(name)
    assert 1 <= len(short.encode()) <= 80
    assert short[0] not in ".-~ "
    assert not set(short) & {"/", "\0", "\\", "\n"}
    assert safe_label(short) == short


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("apps.csv", "apps.csv"),
        ("-rf.csv", "rf.csv"),
        ("....csv", "csv"),
        ("---", "unnamed"),
        (f"{'a' * 251}.csv", f"{'a' * 76}.csv"),
        (f"{'é' * 125}x.csv", f"{'é' * 38}.csv"),
        ("a\nb.csv", "a_nb.csv"),
        ("a.extension-that-is-none", "a.extension-that-is-none"),
    ],
)
def test_shortened_keeps_the_extension_and_what_is_readable(name: str, short: str) -> None:
    assert shortened(name) == short


@pytest.mark.parametrize(
    ("name", "extension"),
    [("A.CSV", ".csv"), ("a", ""), (".csv", ""), ("a.tar.gz", ".gz"), ("a.c s", ""), ("a.\u00e9", ""), ("a.", "")],
)
def test_extension_is_plain_or_nothing(name: str, extension: str) -> None:
    assert extension_of(name) == extension


@pytest.mark.parametrize(
    "name",
    [
        ".hidden.csv",
        "a.csv.part",
        "a.PART",
        "a.tmp",
        "a.csv~",
        "a.filepart",
        "a.crdownload",
        "a.csv.done",
        ".a.csv.part",
    ],
)
def test_unfinished_names_are_temporary(name: str) -> None:
    assert is_temporary(name)


@pytest.mark.parametrize("name", ["a.csv", "part", "tmp.csv", "done", "a.part.csv"])
def test_finished_names_are_not_temporary(name: str) -> None:
    assert not is_temporary(name)


@pytest.mark.parametrize("case", WELCOME)
def test_unusual_but_readable_names_are_taken(case: str) -> None:
    assert name_problem(WELCOME[case]) is None


@pytest.mark.parametrize("case", REFUSED)
def test_names_that_cannot_be_shown_or_stored_are_refused(case: str) -> None:
    problem = name_problem(REFUSED[case])
    assert problem is not None
    assert problem.code is Code.FILE_NAME_NOT_ALLOWED
    assert str(problem).isprintable()


@pytest.mark.parametrize("name", ["", ".", "..", "../x.csv", "/etc/passwd", "a/b", "a\0b"])
def test_what_is_no_single_component_is_refused(name: str) -> None:
    with pytest.raises(TerminalError) as caught:
        checked_component(name)
    assert caught.value.problem.code is Code.FILE_NAME_NOT_ALLOWED


@pytest.mark.parametrize("case", ALL)
def test_every_hostile_name_can_exist(case: str) -> None:
    assert len(os.fsencode(ALL[case])) <= 255
