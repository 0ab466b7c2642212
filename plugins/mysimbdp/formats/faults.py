"""What a reader says about bad input: a bad row is reported and skipped, a bad file raises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mysimbdp.errors import Code, Problem, TerminalError

MAX_RECORD_BYTES = 16 * 2**20
"""One record never takes more memory than this; Cassandra's largest mutation is of the same size."""

MAX_SHOWN = 200
"""Characters of a value that are repeated in reports."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A record that cannot be read. `source` is its 1-based number in the file, header not counted."""

    source: int
    line: int | None
    code: Code
    reason: str
    value: str | None = None


Reject = Callable[[BadRow], None]
"""Takes the rows a reader has to leave out."""

Note = Callable[[str], None]
"""Takes remarks worth one line in the log."""


def file_fault(
    code: Code, what: str, *, line: int | None = None, column: str | None = None, value: str | None = None
) -> TerminalError:
    """Make the error for a file that cannot be read on."""
    return TerminalError(Problem(code, what, line=line, column=column, value=value and value[:MAX_SHOWN]))
