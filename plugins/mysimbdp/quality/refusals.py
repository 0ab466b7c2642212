"""A verdict on one value: it does not become one of its column's type."""

from __future__ import annotations

from mysimbdp.errors import Code
from mysimbdp.tenants.cqltypes import ScalarType


class Refused(Exception):  # noqa: N818  # a verdict on a value, not an error of the program
    """The value does not become one of the column's type."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def wrong(cql: ScalarType, wanted: str) -> Refused:
    """The usual refusal: `wanted` is what the value is not."""
    return Refused(Code.VALUE_WRONG_TYPE, f"it is not {wanted} ({cql})")
