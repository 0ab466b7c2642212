"""Policy: one verdict for the whole file, before a single row of it lands."""

from __future__ import annotations

from mysimbdp.errors import Code, Problem


def judge(file: str, *, rows_read: int, rows_rejected: int, max_rejected_share: float) -> Problem | None:
    """None when the file's good rows may land, else why the whole file is rejected."""
    if rows_read == 0:
        return Problem(Code.FILE_NO_ROWS, "the app found no rows in it", file=file)
    if rows_rejected == rows_read:
        return Problem(Code.TOO_MANY_REJECTED_ROWS, f"all {rows_read} rows were rejected", file=file)
    share = rows_rejected / rows_read
    if share > max_rejected_share:
        what = f"{rows_rejected} of {rows_read} rows ({share:.2%}) were rejected, allowed are {max_rejected_share:.2%}"
        return Problem(Code.TOO_MANY_REJECTED_ROWS, what, file=file)
    return None
