"""Is the file's header the table's? Missing, doubled and surplus columns."""

from __future__ import annotations

from collections.abc import Sequence

from mysimbdp.errors import Code
from mysimbdp.formats.faults import Note, file_fault
from mysimbdp.formats.fieldnames import Field, match, nearest


def select_columns(
    header: Sequence[str], fields: Sequence[Field] | None, line: int | None, note: Note
) -> list[tuple[int, str]]:
    """Return (position, name) of the header's columns that are wanted, in the header's order.

    Raises:
        TerminalError: HEADER_MISSING_COLUMN (a required column, or every column, is absent) or STRUCTURE_INVALID (a
            wanted name stands there twice).
    """
    if fields is None:
        doubled = next((name for name in header if list(header).count(name) > 1), None)
        if doubled is not None:
            raise _doubled(doubled, line)
        return list(enumerate(header))
    found = match(fields, header)
    for field in fields:
        if field.required and field.column not in found:
            raise _missing(field.name, header, line)
    if not found:
        raise _missing(fields[0].name, header, line)
    used = set(found.values())
    for name in used:
        if list(header).count(name) > 1:
            raise _doubled(name, line)
    surplus = [name for name in header if name not in used]
    if surplus:
        note(f"columns that are not in the table are left out: {', '.join(map(repr, surplus[:20]))}")
    return [(position, name) for position, name in enumerate(header) if name in used]


def _missing(name: str, header: Sequence[str], line: int | None) -> Exception:
    like = nearest(name, header)
    hint = f"; the nearest is {like!r}" if like else f"; there are {', '.join(map(repr, list(header)[:20]))}"
    return file_fault(Code.HEADER_MISSING_COLUMN, f"the header has no column {name!r}{hint}", line=line, column=name)


def _doubled(name: str, line: int | None) -> Exception:
    what = f"the header names the column {name!r} twice"
    return file_fault(Code.STRUCTURE_INVALID, what, line=line, column=name)
