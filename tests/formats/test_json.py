"""JSON and JSON Lines: exact values, bad lines alone are left out, a broken array is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.formats.reading import fields, read

from mysimbdp.errors import Code, TerminalError
from mysimbdp.tenants.model import FileFormat


@pytest.mark.parametrize(
    "content",
    [
        b'[{"a":1.10},{"a":null}]',
        b'\xef\xbb\xbf [ {"a":1.10} ,\n{"a":null} ]\n',
        b'{"a":1.10}\n{"a":null}',
        b'{"a":1.10}{"a":null}',
    ],
    ids=["array", "blanks and byte order mark", "one after another", "without blanks"],
)  # fmt: skip
def test_json_records_keep_their_digits(content: bytes) -> None:
    assert read(content, "json").values("a", "_source") == [("1.10", 1), (None, 2)]


def test_the_line_of_a_json_record_is_where_it_begins() -> None:
    assert read(b'[\n{"a":\n1},\n\n{"a":2}]', "json").values("_line") == [(2,), (5,)]


def test_json_longer_than_a_block_is_read_as_a_stream() -> None:
    records = [{"a": str(number), "b": "x" * 300} for number in range(20_000)]
    seen = read(json.dumps(records, indent=1).encode(), "json")
    assert seen.values("a") == [(str(number),) for number in range(20_000)]
    assert seen.rows[-1]["_line"] == 2 + 4 * 19_999


VALUES = {
    "text": ('"x"', "x"),
    "empty text is a value": ('""', ""),
    "whole number": ("123456789012345678901234567890", "123456789012345678901234567890"),
    "exponent": ("1E5", "1E5"),
    "true": ("true", "true"),
    "null": ("null", None),
    "object": ('{"k":[1.50,null,"é"]}', '{"k":[1.50,null,"é"]}'),
    "not a number, as Python writes it": ("NaN", "NaN"),
}


@pytest.mark.parametrize("file_format", ["json", "jsonl"])
@pytest.mark.parametrize(("written", "text"), VALUES.values(), ids=VALUES.keys())
def test_values_become_text(written: str, text: str | None, file_format: FileFormat) -> None:
    assert read(f'{{"a":{written}}}'.encode(), file_format).values("a") == [(text,)]


BAD_FILES: dict[str, tuple[FileFormat, bytes, Code, int | None]] = {
    "empty": ("json", b"", Code.FILE_EMPTY, None),
    "blank": ("json", b" \n ", Code.FILE_EMPTY, None),
    "empty array": ("json", b"[]", Code.FILE_NO_ROWS, 1),
    "a word": ("json", b"hello", Code.FORMAT_MISMATCH, 1),
    "cut off in a record": ("json", b'[{"a":1},\n{"a":', Code.STRUCTURE_INVALID, 2),
    "cut off between records": ("json", b'[{"a":1}\n', Code.STRUCTURE_INVALID, 2),
    "a comma too many": ("json", b'[{"a":1},\n]', Code.STRUCTURE_INVALID, 2),
    "more after the array": ("json", b'[{"a":1}]\n{"a":1}', Code.STRUCTURE_INVALID, 2),
    "nested too deeply": ("json", b'[{"a":' + b"[" * 100_000, Code.STRUCTURE_INVALID, 1),
    "Latin-1": ("json", '[{"a":"é"}]'.encode("latin-1"), Code.ENCODING_INVALID, 1),
    "JSON Lines, empty": ("jsonl", b"\n\n", Code.FILE_EMPTY, None),
    "JSON Lines, not one object": ("jsonl", b"a,b\n1,2\n", Code.FORMAT_MISMATCH, None),
    "JSON Lines, NUL bytes": ("jsonl", b'{"a":1}\n\x00\n', Code.FORMAT_MISMATCH, 2),
    "JSON Lines, wrong encoding": ("jsonl", b'{"a":1}\n{"a":"\xe9"}\n', Code.ENCODING_INVALID, 2),
    "JSON Lines, endless line": ("jsonl", b'{"a":"' + b"x" * 25_000_000, Code.STRUCTURE_INVALID, 1),
}


@pytest.mark.parametrize(("file_format", "content", "code", "line"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_is_refused_with_its_line(
    file_format: FileFormat, content: bytes, code: Code, line: int | None
) -> None:
    with pytest.raises(TerminalError) as caught:
        read(content, file_format)
    assert caught.value.problem.code is code
    assert line is None or caught.value.problem.line == line


def test_bad_lines_are_left_out_with_their_numbers() -> None:
    seen = read(b'{"a":1}\n\n{"a":\n[1]\n{"a":"\\ud800"}\r\n{"a":2}', "jsonl")
    assert seen.values("a", "_source", "_line") == [("1", 1, 1), ("2", 5, 6)]
    assert sorted((row.source, row.line) for row in seen.rejected) == [(2, 3), (3, 4), (4, 5)]
    assert {row.code for row in seen.rejected} == {Code.ROW_MALFORMED}


def test_an_element_that_is_no_object_is_left_out() -> None:
    seen = read(b'[{"a":1},7,{"a":2}]', "json")
    assert seen.values("a", "_source") == [("1", 1), ("2", 3)]
    assert [(row.source, row.value) for row in seen.rejected] == [(2, "7")]


def test_fields_are_found_in_any_spelling_and_always_given() -> None:
    seen = read(b'{"APP":1,"x":2}\n{"app":3}', "jsonl", fields("App", "content_rating"))
    assert seen.values("App", "content_rating") == [("1", None), ("3", None)]
    assert len(seen.notes) == 1


def test_records_without_any_field_of_the_table_are_not_taken_for_empty_rows() -> None:
    with pytest.raises(TerminalError) as caught:
        read(b'{"x":2}', "jsonl", fields("App"))
    assert caught.value.problem.code is Code.HEADER_MISSING_COLUMN


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(
    st.characters(codec="utf-8", exclude_characters="\x00")
)  # fmt: skip
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abé"), inner, max_size=3)
)


def _text(value: Any) -> str | None:
    return (
        value
        if value is None or isinstance(value, str)
        else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    )


@settings(max_examples=75, deadline=None)
@given(records=st.lists(st.fixed_dictionaries({"a": values, "b": values}), min_size=1), ascii_only=st.booleans())
def test_what_pythons_json_writes_is_read_back(records: list[dict[str, Any]], *, ascii_only: bool) -> None:
    lines = [json.dumps(record, ensure_ascii=ascii_only) for record in records]
    expected = [(_text(record["a"]), _text(record["b"])) for record in records]
    assert read("\n".join(lines).encode(), "jsonl").values("a", "b") == expected
    assert read(("[" + ",".join(lines) + "]").encode(), "json").values("a", "b") == expected
