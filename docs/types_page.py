"""Makes docs/types.md: every table in it is what the readers and the gate really do with the examples given here."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from mysimbdp.coredms.types import arrow_type
from mysimbdp.coredms.unpacking import duration_text, json_text
from mysimbdp.formats.fieldnames import Field
from mysimbdp.formats.reading import read_records
from mysimbdp.quality.conversion import convert
from mysimbdp.quality.nested import EXAMPLES
from mysimbdp.tenants.cqltypes import SCALARS, CqlType, ScalarType
from mysimbdp.tenants.model import FileFormat
from mysimbdp.tenants.typegrammar import parse_type

FORMS: dict[ScalarType, list[str]] = {
    "ascii": ["plain", "é"],
    "bigint": ["-9223372036854775808", "9223372036854775808"],
    "blob": ["0xCAFE", "CAFE"],
    "boolean": ["true", "No", "1", "2"],
    "date": [
        "2018-01-07", "2018/1/7", "07/01/2018", "2018-02-29", "0001-01-01", "9999-12-31", "10000-01-01", "-0044-03-15",
    ],
    "decimal": ["1.10", "-0.00", "1E-400", "NaN"],
    "double": ["0.1", "1e400", "NaN", "-Infinity", "1e-400"],
    "duration": ["1y2mo3w4d5h6m7s8ms9us10ns", "P1Y2M3DT4H5M6.5S", "-1d", "1.5h", "9223372036854775808ns"],
    "float": ["0.1", "16777217", "1e39", "NaN"],
    "inet": ["10.0.0.1", "2001:DB8::1", "::ffff:10.0.0.1", "localhost"],
    "int": ["5", " 5 ", "5.0", "5e3", "5.5", "1,000", "0x10", "2147483648"],
    "smallint": ["32767", "32768"],
    "text": ["é", " blanks stay "],
    "time": ["9:30", "23:59:59.123456789", "24:00:00"],
    "timestamp": [
        "2018-01-07T12:00:00.123Z", "2018-01-07 14:00:00+02:00", "2018-01-07 12:00", "2018-01-07",
        "2018-01-07T12:00:00.123999", "1515326400000", "2018-01-07T12:00:00 CET", "10000-01-01T00:00:00Z",
    ],
    "timeuuid": ["6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "6cfeb2ee-a46f-4e72-a7f8-82615aabdad7"],
    "tinyint": ["-128", "128"],
    "uuid": ["6CFEB2EE-A46F-4E72-A7F8-82615AABDAD7", "6cfeb2ee"],
    "varint": ["123456789012345678901234567890", "1e3", "0.5"],
}  # fmt: skip

NESTED: list[tuple[str, str]] = [
    ("list<text>", '["a", ""]'), ("list<text>", "a, b"), ("list<int>", '[1, "2", null]'), ("list<decimal>", "[1.10]"),
    ("set<int>", "[2, 1, 2]"), ("map<text, int>", '{"a": 1, "b": "x"}'),
    ("map<frozen<list<int>>, int>", "[[[1, 2], 3]]"),
    ("tuple<int, text>", "[null, null]"), ("tuple<int, text>", "[1]"), ("vector<float, 3>", "[0.5, 1, -2]"),
    ("vector<float, 3>", "[0.5, 1]"), ("list<date>", '["10000-01-01"]'), ("list<text>", "null"),
]  # fmt: skip

EMPTY: dict[FileFormat, dict[str, str | dict[str, list[str]]]] = {
    "csv": {"nothing between delimiters": "k,v\n1,\n", "quotes with nothing between": 'k,v\n1,""\n'},
    "txt": {"nothing between delimiters": "k\tv\n1\t\n"},
    "json": {"no such field": '[{"k": 1}]', "`null`": '[{"k": 1, "v": null}]', '`""`': '[{"k": 1, "v": ""}]'},
    "jsonl": {"no such field": '{"k": 1}', "`null`": '{"k": 1, "v": null}', '`""`': '{"k": 1, "v": ""}'},
    "xml": {"no such element": "<r><a><k>1</k></a></r>", "`<v/>`": "<r><a><k>1</k><v/></a></r>"},
    "parquet": {"text of no length": {"k": ["1"], "v": [""]}},
}

TEMPLATE = Path(__file__).with_name("types.template.md")


def types_page() -> str:
    """Return docs/types.md."""
    tables = {
        "scalars": _table("type", "in Arrow", "written", "becomes", rows=_scalars()),
        "empty": _table("format", "written", "text column", "int column", rows=_empty()),
        "shapes": _table("kind", "JSON", rows=([kind, f"`{example}`"] for kind, example in EXAMPLES.items())),
        "nested": _table("type", "written", "becomes", rows=_nested()),
    }
    page = TEMPLATE.read_text()
    for name, table in tables.items():
        page = page.replace(f"{{{name}}}", table)
    return page


def _table(*header: str, rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _scalars() -> Iterator[Sequence[str]]:
    for cql in SCALARS:
        for text in FORMS[cql]:
            yield cql, str(arrow_type(cql)), f"`{text}`", _outcome(pa.array([text]), cql)


def _nested() -> Iterator[Sequence[str]]:
    for text, written in NESTED:
        yield f"`{text}`", f"`{written}`", _outcome(pa.array([written]), parse_type(text))


def _empty() -> Iterator[Sequence[str]]:
    for file_format, cases in EMPTY.items():
        for shown, content in cases.items():
            stream = io.BytesIO(content.encode() if isinstance(content, str) else _parquet(content))
            (batch,) = read_records(file_format, stream, [Field("k", "k"), Field("v", "v")], print, lambda _: None)
            column = batch.column("v")
            yield file_format, shown, _outcome(column, "text"), _outcome(column, "int")


def _parquet(columns: dict[str, list[str]]) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pa.table(columns), out)
    return out.getvalue()


def _outcome(column: pa.Array, cql: CqlType) -> str:
    done = convert(column, cql)
    if done.faults:
        return f"{done.faults[0].code}: {done.faults[0].reason}"
    (value,) = done.values
    if not value.is_valid:
        return "null"
    return f"`{_shown(value, cql)}`"


def _shown(value: pa.Scalar, cql: CqlType) -> str:
    if not isinstance(cql, str):
        return json_text(value.as_py(), cql)
    if cql == "duration":
        return duration_text(value.as_py())
    if cql == "blob":
        return f"0x{value.as_py().hex()}"
    return str(value.cast(pa.utf8())) or '""'
