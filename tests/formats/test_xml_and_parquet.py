"""XML records as a stream without entities; Parquet in its native types."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.formats.reading import fields, read

from mysimbdp.errors import Code, TerminalError
from mysimbdp.formats.detection import check_format
from mysimbdp.formats.names import format_of
from mysimbdp.tenants.model import FileFormat


def test_children_of_the_root_are_records() -> None:
    text = (
        '<?xml version="1.0"?>\n<n:rows xmlns:n="u">\n<n:r id="1"><n:a>x &amp; y</n:a><b/></n:r>\n'
        "<r id='2'><a>u</a><a>v</a><c><d>1</d></c></r></n:rows>"
    )
    seen = read(text.encode(), "xml")
    assert seen.values("id", "a", "b", "_source", "_line") == [
        ("1", "x & y", None, 1, 3),
        ("2", '["u","v"]', None, 2, 4),
    ]
    assert seen.rows[1]["c"] == '{"d":"1"}'


BAD_XML = {
    "empty": (b"", Code.FILE_EMPTY),
    "no record": (b"<r></r>", Code.FILE_NO_ROWS),
    "not XML": (b"a,b\n", Code.FORMAT_MISMATCH),
    "cut off": (b"<r><x><a>1</a></x><x>", Code.STRUCTURE_INVALID),
    "entities": (b'<!DOCTYPE r [<!ENTITY a "b">]><r><x><a>&a;</a></x></r>', Code.STRUCTURE_INVALID),
    "outside document": (b'<!DOCTYPE r SYSTEM "file:///etc/passwd"><r><x/></r>', Code.STRUCTURE_INVALID),
    "nested too deeply": (b"<r>" + b"<x>" * 500, Code.STRUCTURE_INVALID),
    "endless record": (b"<r><x>" + b"<a>1</a>" * 3_000_000, Code.STRUCTURE_INVALID),
}


@pytest.mark.parametrize(("content", "code"), BAD_XML.values(), ids=BAD_XML.keys())
def test_bad_xml_is_refused(content: bytes, code: Code) -> None:
    with pytest.raises(TerminalError) as caught:
        read(content, "xml")
    assert caught.value.problem.code is code


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=2)
    return sink.getvalue()


def test_parquet_keeps_its_types_and_numbers_its_rows() -> None:
    content = _parquet(pa.table({"a": [1, 2, 3], "b": ["x", None, "z"], "c": [0.5, 1.5, 2.5]}))
    seen = read(content, "parquet", fields("a!", "b"))
    assert seen.rows == [
        {"a": 1, "b": "x", "_source": 1},
        {"a": 2, "b": None, "_source": 2},
        {"a": 3, "b": "z", "_source": 3},
    ]


def test_parquet_that_is_none_or_has_no_rows_is_refused() -> None:
    for content, code in (
        (b"a,b\n", Code.FORMAT_MISMATCH),
        (_parquet(pa.table({"a": [1]}))[:-20], Code.FORMAT_MISMATCH),
        (_parquet(pa.table({"a": pa.array([], pa.int64())})), Code.FILE_NO_ROWS),
    ):
        with pytest.raises(TerminalError) as caught:
            read(content, "parquet")
        assert caught.value.problem.code is code


LOOKS: dict[str, tuple[FileFormat, bytes, bool]] = {
    "CSV": ("csv", b"a,b\n1,2\n", True),
    "UTF-16 CSV": ("csv", "\ufeffa,b\n".encode("utf-16"), True),
    "one column of text": ("csv", b"hello\nworld\n", True),
    "PNG named CSV": ("csv", b"\x89PNG\r\n\x1a\n...", False),
    "ZIP named CSV": ("csv", b"PK\x03\x04...", False),
    "gzip named JSON": ("json", b"\x1f\x8b...", False),
    "Parquet named CSV": ("csv", b"PAR1...PAR1", False),
    "JSON named CSV": ("csv", b'[{"a":1}]', False),
    "HTML named CSV": ("csv", b"<html><body>404", False),
    "binary junk named CSV": ("csv", bytes(range(256)), False),
    "CSV named JSON": ("json", b"a,b\n", False),
    "CSV named XML": ("xml", b"a,b\n", False),
    "CSV named Parquet": ("parquet", b"a,b\n", False),
    "Parquet cut off": ("parquet", b"PAR1......", False),
    "empty is judged elsewhere": ("csv", b"", True),
}


@pytest.mark.parametrize(("declared", "content", "fits"), LOOKS.values(), ids=LOOKS.keys())
def test_content_must_look_like_its_name(tmp_path: Path, declared: FileFormat, content: bytes, *, fits: bool) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    problem = check_format(path, declared)
    assert (problem is None) is fits
    assert problem is None or problem.code is Code.FORMAT_MISMATCH


def test_formats_go_by_the_extension_in_any_case() -> None:
    assert [format_of(name) for name in ("A.CSV", "a.tsv", "x.y.ndjson", "a.parquet", "a.xlsx", "csv", ".csv")] == [
        "csv", "txt", "jsonl", "parquet", None, None, None,
    ]  # fmt: skip
