"""Policy: a route's pattern that an earlier route always takes first can never be reached."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from mysimbdp.tenants.model import Route


def unreachable(routes: Sequence[Route]) -> list[tuple[int, int, str, str]]:
    """(route, pattern's place in it, the pattern, the earlier pattern that takes its files) for each such pattern.

    A pattern is only named when every name it fits is certainly fitted by one earlier pattern: that one must have no
    wildcard but `*`, for then a pattern that fits it as a text is contained in it.
    """
    found = []
    earlier: list[str] = []
    for number, route in enumerate(routes):
        for place, pattern in enumerate(route.files):
            taker = next((known for known in earlier if _contains(known.lower(), pattern.lower())), None)
            if taker is not None:
                found.append((number, place, pattern, taker))
        earlier.extend(route.files)
    return found


def _contains(wide: str, narrow: str) -> bool:
    if wide == narrow:
        return True
    return not set("?[") & set(wide) and fnmatchcase(narrow, wide)
