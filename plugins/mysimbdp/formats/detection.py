"""Is the content what the file's name says? A cheap look at its first and last bytes, before it is claimed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mysimbdp.errors import Code, Problem
from mysimbdp.formats.encoding import wide_encoding

if TYPE_CHECKING:
    from mysimbdp.tenants.model import FileFormat

_LOOKED_AT = 64 * 1024
_PARQUET = b"PAR1"

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an Office document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document"),
    (b"\x1f\x8b", "compressed by gzip"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd"),
    (b"BZh", "compressed by bzip2"),
    (b"\xfd7zXZ\x00", "compressed by xz"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x7fELF", "a program"),
    (_PARQUET, "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"Obj\x01", "an Avro file"),
    (b"ORC", "an ORC file"),
    (b"SQLite format 3\x00", "a SQLite database"),
)


def check_format(path: Path, declared: FileFormat) -> Problem | None:
    """Return why the content of `path` cannot be of format `declared`, or None.

    An empty file is not judged here. Problems: FORMAT_MISMATCH, FILE_UNREADABLE.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_LOOKED_AT)
            file.seek(0, 2)
            size = file.tell()
            file.seek(max(0, size - len(_PARQUET)))
            end = file.read(len(_PARQUET))
    except OSError as error:
        return Problem(Code.FILE_UNREADABLE, f"it cannot be read: {error.strerror}", file=path.name)
    if not size:
        return None
    what = _parquet_fault(start, end) if declared == "parquet" else _text_fault(start, declared)
    return Problem(Code.FORMAT_MISMATCH, what, file=path.name) if what else None


def _parquet_fault(start: bytes, end: bytes) -> str | None:
    if not start.startswith(_PARQUET):
        return f"it is not a Parquet file: {_kind(start) or 'it does not begin with PAR1'}"
    return None if end == _PARQUET else "the Parquet file is cut off: its end is missing"


def _text_fault(start: bytes, declared: FileFormat) -> str | None:
    kind = _kind(start)
    if kind:
        return f"it is {kind}, not {declared}"
    if wide_encoding(start):
        return None
    if b"\0" in start:
        return f"it is binary, not {declared}: there are NUL bytes in it"
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    return _structure_fault(text, declared) if text else None


def _structure_fault(text: bytes, declared: FileFormat) -> str | None:
    if declared == "xml":
        return None if text.startswith(b"<") else "it does not begin with <: it is not XML"
    if declared == "json":
        return None if text[:1] in b"[{" else "it begins with neither [ nor {: it is not JSON records"
    if declared in ("csv", "txt"):
        if text.startswith((b"<?xml", b"<!DOCTYPE", b"<html")):
            return f"it is XML or HTML, not {declared}"
        if text.startswith(b"[{") or _is_json_object(text):
            return f"it is JSON, not {declared}"
    return None


def _kind(start: bytes) -> str | None:
    return next((kind for magic, kind in _MAGIC if start.startswith(magic)), None)


def _is_json_object(text: bytes) -> bool:
    return text.startswith(b"{") and text[1:].lstrip().startswith(b'"') and b'":' in text[:4096]
