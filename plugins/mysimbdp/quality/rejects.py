"""A rejected row as data: what receipts list and the file of rejected rows holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from mysimbdp.errors import Code

MAX_VALUE = 200
"""Characters of the offending value that are kept."""


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """One record that was not ingested. `source` is its 1-based number in the file, `line` where it begins."""

    source: int | None
    line: int | None
    column: str | None
    value: str | None
    code: Code
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the fields that are known."""
        known = {key: value for key, value in asdict(self).items() if value is not None}
        return {**known, "code": str(self.code)}


def shown(value: object) -> str | None:
    """Return `value` as the text a report shows: at most 200 characters."""
    if value is None:
        return None
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 1]}…"
