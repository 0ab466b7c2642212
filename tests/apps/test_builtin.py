"""The built-in app as it is started for real."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from tests.apps.running import Ran, run

from mysimbdp.apps.registry import resolve_app
from mysimbdp.errors import Code, TerminalError
from mysimbdp.tenants.model import FileFormat, Tenant

TENANT = Tenant.model_validate(
    {
        "tenant": "acme",
        "constraints": {"max_nb_files": 1, "max_file_size": 1, "allowed_file_format": ["csv"]},
        "tables": {"things": {"columns": {"a": "text"}}},
    }
)


def _run(tmp_path: Path, content: bytes, file_format: FileFormat) -> Ran:
    path = tmp_path / "-input file"
    path.write_bytes(content)
    app = resolve_app(TENANT, None)
    return run(app.argv, path, output=app.output, file_format=file_format)


FILES: dict[str, tuple[FileFormat, bytes]] = {
    "csv": ("csv", b"a,N,other\nx,1,?\ny,,?\n"),
    "txt": ("txt", b"a|N|other\nx|1|?\ny||?\n"),
    "json": ("json", b'[{"a":"x","N":1},{"a":"y","N":null}]'),
    "jsonl": ("jsonl", b'{"a":"x","N":1}\n{"a":"y"}\n'),
    "xml": ("xml", b"<r><i a='x'><N>1</N></i><i a='y'/></r>"),
}


@pytest.mark.parametrize(("file_format", "content"), FILES.values(), ids=FILES.keys())
def test_each_format_is_mapped_to_the_declared_fields(tmp_path: Path, file_format: FileFormat, content: bytes) -> None:
    rows = _run(tmp_path, content, file_format).rows
    assert [(row["a"], row["N"], row["_source"]) for row in rows] == [("x", "1", 1), ("y", None, 2)]


def test_parquet_keeps_native_types(tmp_path: Path) -> None:
    sink = io.BytesIO()
    parquet.write_table(pa.table({"a": ["x"], "N": [1], "z": [None]}), sink)
    assert _run(tmp_path, sink.getvalue(), "parquet").rows == [{"a": "x", "N": 1, "_source": 1}]


def test_bad_rows_are_reported_with_their_place(tmp_path: Path) -> None:
    ran = _run(tmp_path, b"a,N\nx,1\nz\ny,2\n", "csv")
    assert [row["a"] for row in ran.rows] == ["x", "y"]
    assert [row.as_dict() for row in ran.rejected] == [
        {"source": 2, "line": 3, "value": "z", "code": "ROW_RAGGED", "reason": "the record has 1 fields, the header 2"}
    ]


BAD: dict[str, tuple[FileFormat, bytes, Code]] = {
    "empty": ("csv", b"", Code.FILE_EMPTY),
    "header only": ("csv", b"a,N\n", Code.FILE_NO_ROWS),
    "key column missing": ("csv", b"b,N\n1,2\n", Code.HEADER_MISSING_COLUMN),
    "binary junk": ("csv", bytes(range(256)) * 100, Code.FORMAT_MISMATCH),
    "cut off": ("json", b'[{"a":1}', Code.STRUCTURE_INVALID),
    "not Parquet": ("parquet", b"a,N\n", Code.FORMAT_MISMATCH),
}


@pytest.mark.parametrize(("file_format", "content", "code"), BAD.values(), ids=BAD.keys())
def test_a_bad_file_is_refused_with_its_own_code(
    tmp_path: Path, file_format: FileFormat, content: bytes, code: Code
) -> None:
    with pytest.raises(TerminalError) as caught:
        _run(tmp_path, content, file_format)
    assert caught.value.problem.code is code


def test_a_file_that_goes_bad_late_is_refused_though_rows_were_given(tmp_path: Path) -> None:
    with pytest.raises(TerminalError) as caught:
        _run(tmp_path, b"a,N\n" + b"x,1\n" * 2_500_000 + b"\xff,1\n", "csv")
    assert (caught.value.problem.code, caught.value.problem.line) == (Code.ENCODING_INVALID, 2_500_002)
