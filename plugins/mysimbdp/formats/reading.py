"""One door to all readers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO

from mysimbdp.formats.faults import Note, Reject
from mysimbdp.formats.fieldnames import Field

if TYPE_CHECKING:
    import pyarrow as pa

    from mysimbdp.tenants.model import FileFormat


def read_records(
    file_format: FileFormat, stream: BinaryIO, fields: Sequence[Field] | None, reject: Reject, note: Note
) -> Iterator[pa.RecordBatch]:
    """Yield the records of a file of any format: its fields' columns, `_source` and, for text formats, `_line`.

    Only the reader that is needed is imported: the built-in app starts anew for every file.

    Raises:
        TerminalError: the file as a whole cannot be read.
    """
    # ruff: noqa: PLC0415  # see above
    if file_format in ("csv", "txt"):
        from mysimbdp.formats.delimited import read_delimited

        return read_delimited(stream, fields, reject, note, delimiter="," if file_format == "csv" else None)
    if file_format == "jsonl":
        from mysimbdp.formats.jsonlines import read_jsonlines

        return read_jsonlines(stream, fields, reject, note)
    if file_format == "json":
        from mysimbdp.formats.jsonarray import read_json

        return read_json(stream, fields, reject, note)
    if file_format == "xml":
        from mysimbdp.formats.xmlrecords import read_xml

        return read_xml(stream, fields, reject, note)
    from mysimbdp.formats.columnar import read_parquet

    return read_parquet(stream, fields, note)
