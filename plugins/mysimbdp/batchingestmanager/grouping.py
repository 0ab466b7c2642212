"""Policy: small files share one task, because a task costs Airflow about a second whatever it does."""

from __future__ import annotations

from collections.abc import Iterable

from mysimbdp.ledger.record import Ref

MOST_FILES_IN_A_GROUP = 200
MOST_GROUPS = 500
"""Below Airflow's `[core] max_map_length` (1024 by default)."""


def group_by_bytes(files: Iterable[tuple[Ref, int]], *, group_bytes: int) -> list[list[Ref]]:
    """Put files (ref, size in bytes) in groups of at most `group_bytes`; a larger file is a group of its own.

    The order of arrival is kept. Groups grow beyond the limit only where there would be too many of them.
    """
    waiting = list(files)
    limit = max(group_bytes, sum(size for _, size in waiting) // MOST_GROUPS)
    most_files = max(MOST_FILES_IN_A_GROUP, -(-len(waiting) // MOST_GROUPS))
    groups: list[list[Ref]] = []
    filled = 0
    for ref, size in waiting:
        if not groups or filled + size > limit or len(groups[-1]) >= most_files:
            groups.append([])
            filled = 0
        groups[-1].append(ref)
        filled += size
    return groups
