"""`python -m mysimbdp.apps.builtin FILE`: read FILE, write its rows to stdout as an Arrow stream, faults to fd 3.

Its start-up time is part of every file's way, so it imports Arrow and the one reader it needs, nothing else.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

from mysimbdp.errors import TerminalError

if TYPE_CHECKING:
    from mysimbdp.formats.faults import BadRow
    from mysimbdp.tenants.model import FileFormat

BAD_DATA = 65


class Report:
    """The report descriptor: JSON lines, written in blocks."""

    def __init__(self) -> None:
        # Not closed with the interpreter's other files: fd 3 was given to us and stays open until the end.
        self._file = os.fdopen(int(os.environ["MYSIMBDP_REPORT_FD"]), "wb", closefd=False)

    def bad_row(self, row: BadRow) -> None:
        """Report a record that is left out."""
        self._write(event="row_rejected", source=row.source, line=row.line, code=row.code, reason=row.reason,
                    value=row.value)  # fmt: skip

    def bad_file(self, error: TerminalError) -> None:
        """Report that the file as a whole is refused."""
        problem = error.problem
        self._write(event="file_rejected", code=problem.code, reason=problem.what, line=problem.line,
                    column=problem.column, value=problem.value)  # fmt: skip

    def flush(self) -> None:
        """Send what has been written."""
        self._file.flush()

    def _write(self, **event: str | int | None) -> None:
        self._file.write(json.dumps({key: value for key, value in event.items() if value is not None}).encode())
        self._file.write(b"\n")


def main() -> int:
    """Map the file named on the command line; return the exit code of the app contract."""
    file_format = cast("FileFormat", os.environ["MYSIMBDP_FORMAT"])
    if file_format != "parquet":
        # Arrow imports numpy where it finds it, which costs 0.1 s and is needed for nothing here.
        sys.modules["numpy"] = None  # type: ignore[assignment]  # documented: None makes the import fail
    import pyarrow as pa  # noqa: PLC0415  # after numpy has been settled

    from mysimbdp.apps.builtin.schema import declared_fields  # noqa: PLC0415  # only now may Arrow be imported
    from mysimbdp.formats.reading import read_records  # noqa: PLC0415

    report = Report()
    try:
        with Path(sys.argv[1]).open("rb") as file:
            fields = declared_fields(os.environ["MYSIMBDP_SCHEMA"])
            writer = None
            for batch in read_records(file_format, file, fields, report.bad_row, _note):
                if writer is None:
                    writer = pa.ipc.new_stream(pa.PythonFile(sys.stdout.buffer, "w"), batch.schema)
                report.flush()
                writer.write_batch(batch)
            if writer is None:
                writer = pa.ipc.new_stream(pa.PythonFile(sys.stdout.buffer, "w"), pa.schema([]))
            writer.close()
            sys.stdout.buffer.flush()
    except TerminalError as error:
        report.bad_file(error)
        return BAD_DATA
    finally:
        report.flush()
    return 0


def _note(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    code = main()
    # Past the tidying up of the interpreter: everything is flushed, and every file waits for it.
    sys.stderr.flush()
    os._exit(code)
