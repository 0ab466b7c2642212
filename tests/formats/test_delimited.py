"""CSV and text files: every record is given with its number and line, or rejected with them."""

from __future__ import annotations

import csv
import io
from typing import Literal

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from tests.formats.reading import fields, read

from mysimbdp.errors import Code, TerminalError

GOOD = {
    "plain": (b"a,b\n1,2\n3,4\n", [("1", "2", 1, 2), ("3", "4", 2, 3)]),
    "no last line feed": (b"a,b\n1,2", [("1", "2", 1, 2)]),
    "byte order mark": (b"\xef\xbb\xbfa,b\n1,2\n", [("1", "2", 1, 2)]),
    "UTF-16 little-endian": ("\ufeffa,b\n1,é\n".encode("utf-16-le"), [("1", "é", 1, 2)]),
    "UTF-16 big-endian": ("\ufeffa,b\n1,é\n".encode("utf-16-be"), [("1", "é", 1, 2)]),
    "CRLF": (b"a,b\r\n1,2\r\n3,4\r\n", [("1", "2", 1, 2), ("3", "4", 2, 3)]),
    "CR alone": (b"a,b\r1,2\r3,4\r", [("1", "2", 1, 2), ("3", "4", 2, 3)]),
    "quoted line break": (b'a,b\n"1\nx",2\n3,4\n', [("1\nx", "2", 1, 2), ("3", "4", 2, 4)]),
    "quoted CRLF": (b'a,b\r\n"1\r\nx",2\r\n3,4\r\n', [("1\r\nx", "2", 1, 2), ("3", "4", 2, 4)]),
    "line break in the header": (b'"a\nz",b\n1,2\n', [(None, "2", 1, 3)]),
    "doubled quotes": (b'a,b\n"say ""hi""",2\n', [('say "hi"', "2", 1, 2)]),
    "a quote inside a field is a character": (b'a,b\n5" disk,2\n3,4\n', [('5" disk', "2", 1, 2), ("3", "4", 2, 3)]),
    "delimiter in quotes": (b'a,b\n"1,000",2\n', [("1,000", "2", 1, 2)]),
    "empty fields are missing, quoted or not": (b'a,b\n,""\n', [(None, None, 1, 2)]),
    "blank lines do not count as records": (b"\n\na,b\n\n1,2\n\r\n3,4\n\n", [("1", "2", 1, 5), ("3", "4", 2, 7)]),
    "text that looks like a number stays text": (b"a,b\n007,1e5\n", [("007", "1e5", 1, 2)]),
    "text that looks missing stays text": (b"a,b\nNA,null\n", [("NA", "null", 1, 2)]),
    "spaces are kept": (b"a,b\n x ,2\n", [(" x ", "2", 1, 2)]),
}


@pytest.mark.parametrize(("content", "rows"), GOOD.values(), ids=GOOD.keys())
def test_records_are_read_with_number_and_line(content: bytes, rows: list[tuple[object, ...]]) -> None:
    assert read(content).values("a", "b", "_source", "_line") == rows


BAD_FILES = {
    "empty": (b"", Code.FILE_EMPTY, None),
    "only blank lines": (b"\n\r\n\n", Code.FILE_EMPTY, None),
    "header only": (b"a,b\n", Code.FILE_NO_ROWS, 2),
    "header and blank lines": (b"a,b\n\n\n", Code.FILE_NO_ROWS, 4),
    "NUL bytes": (b"a,b\n1,2\n\x00,2\n", Code.FORMAT_MISMATCH, 3),
    "Latin-1": ("a,b\n1,2\n1,é\n".encode("latin-1"), Code.ENCODING_INVALID, 3),
    "wrong encoding after more than 1 MiB": (
        b"a,b\n" + b"1,2\n" * 300_000 + b"\xff,2\n",
        Code.ENCODING_INVALID,
        300_002,
    ),
    "wrong encoding after two blocks": (
        b"a,b\n" + b"1,2\n" * 2_500_000 + b"\xe9,2\n",
        Code.ENCODING_INVALID,
        2_500_002,
    ),
    "UTF-8 cut off": (b"a,b\n1,\xc3", Code.ENCODING_INVALID, 2),
    "UTF-16 of an odd length": (b"\xff\xfea\x00,\x00b\x00\n\x001", Code.ENCODING_INVALID, None),
    "a quote swallows the rest": (b'a,b\n1,2\n"3,4\n5,6\n', Code.STRUCTURE_INVALID, 3),
    "a column twice": (b"a,b,a\n1,2,3\n", Code.STRUCTURE_INVALID, 1),
}


@pytest.mark.parametrize(("content", "code", "line"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_is_refused_with_its_line(content: bytes, code: Code, line: int | None) -> None:
    with pytest.raises(TerminalError) as caught:
        read(content)
    assert caught.value.problem.code is code
    assert line is None or caught.value.problem.line == line


def test_an_endless_record_does_not_fill_the_memory() -> None:
    with pytest.raises(TerminalError) as caught:
        read(b'a,b\n1,2\n"' + b"x" * 25_000_000 + b"\n3,4\n" * 3)
    assert caught.value.problem.code is Code.STRUCTURE_INVALID
    assert caught.value.problem.line == 3


def test_a_ragged_row_is_left_out_and_its_neighbours_are_not() -> None:
    seen = read(b'a,b\n1,2\n3\n\n"4\n4",5,6\n7,8\n')
    assert seen.values("a", "_source", "_line") == [("1", 1, 2), ("7", 4, 7)]
    assert [(row.source, row.line, row.code) for row in seen.rejected] == [
        (2, 3, Code.ROW_RAGGED),
        (3, 5, Code.ROW_RAGGED),
    ]


def test_ragged_rows_are_numbered_across_blocks() -> None:
    filler = b"1,2\n" * 1_100_000  # a block is 4 MiB
    seen = read(b"a,b\n" + filler + b"bad\n" + filler + b"9,9\n")
    assert [(row.source, row.line) for row in seen.rejected] == [(1_100_001, 1_100_002)]
    assert seen.rows[-1] == {"a": "9", "b": "9", "_source": 2_200_002, "_line": 2_200_003}


def test_a_quote_left_open_in_the_last_record_rejects_only_that() -> None:
    seen = read(b'a,b\n1,2\n3,"4\n')
    assert seen.values("a") == [("1",)]
    assert [(row.source, row.line, row.code) for row in seen.rejected] == [(2, 3, Code.ROW_MALFORMED)]


def test_only_the_tables_columns_are_given_and_the_rest_is_named_once() -> None:
    seen = read(b"Content Rating,Zeta,APP\nTeen,9,x\n", wanted=fields("content_rating", "app!"))
    assert seen.rows == [{"Content Rating": "Teen", "APP": "x", "_source": 1, "_line": 2}]
    assert seen.notes == ["columns that are not in the table are left out: 'Zeta'"]


def test_a_missing_required_column_is_named_with_the_nearest() -> None:
    with pytest.raises(TerminalError) as caught:
        read(b"applicaton,b\n1,2\n", wanted=fields("application!", "b"))
    assert caught.value.problem.code is Code.HEADER_MISSING_COLUMN
    assert "'applicaton'" in caught.value.problem.what


def test_a_missing_optional_column_is_absent() -> None:
    assert read(b"a\n1\n", wanted=fields("a", "b")).rows == [{"a": "1", "_source": 1, "_line": 2}]


@pytest.mark.parametrize("delimiter", ["\t", ";", "|", ","])
def test_the_delimiter_of_a_text_file_is_found_out(delimiter: str) -> None:
    text = 'name;x,y\n"a;b";1,5\nc;2,5\n'.replace(";", delimiter) if delimiter != "," else "name,x\na;b,1\nc,2\n"
    assert len(read(text.encode(), "txt").rows[0]) == 4


cells = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
tables = st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1))


@settings(max_examples=100, deadline=None)
@given(rows=tables, ending=st.sampled_from(["\n", "\r\n"]), quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_what_pythons_csv_writes_is_read_back(rows: list[list[str]], ending: str, quoting: Literal[0, 1]) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator=ending, quoting=quoting)
    names = [f"c{index}" for index in range(len(rows[0]))]
    if quoting == csv.QUOTE_MINIMAL:  # which leaves a lone CR unquoted, so that it ends a record
        rows = [[cell.replace("\r", "\r\n") for cell in row] for row in rows]
    writer.writerow(names)
    writer.writerows(rows)
    text = file.getvalue()
    seen = read(text.encode())
    # Python's own reader says where each record begins.
    reader = csv.reader(io.StringIO(text, newline=""))
    begin, expected = 1, []
    for record in reader:
        if record:
            expected.append((begin, record))
        begin = reader.line_num + 1
    assert [[row[name] or "" for name in names] for row in seen.rows] == [record for _, record in expected[1:]]
    assert [row["_source"] for row in seen.rows] == list(range(1, len(expected)))
    if not any("\r" in cell for row in rows for cell in row):  # Python does not count a lone CR within quotes as we do
        assert [row["_line"] for row in seen.rows] == [line for line, _ in expected[1:]]


@settings(max_examples=100, deadline=None)
@given(text=st.text(st.sampled_from('a",\n'), max_size=40))
def test_any_text_ends_in_rows_or_a_clear_answer(text: str) -> None:
    try:
        seen = read(b"a,b\n" + text.encode())
    except TerminalError as error:
        event(error.problem.code)
        if error.problem.code in {Code.FILE_NO_ROWS, Code.STRUCTURE_INVALID}:
            return
        raise
    # Each record is given or rejected, once.
    numbers = sorted([row["_source"] for row in seen.rows] + [row.source for row in seen.rejected])
    assert numbers == list(range(1, len(numbers) + 1))
    expected = [record for record in csv.reader(io.StringIO(text, newline="")) if record]
    assert len(numbers) == len(expected)
    assert [[row["a"] or "", row["b"] or ""] for row in seen.rows] == [
        record
        for number, record in enumerate(expected, start=1)
        if len(record) == 2 and number not in {row.source for row in seen.rejected}
    ]
