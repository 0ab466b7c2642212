"""Is somebody looking after every file without a verdict?"""

from __future__ import annotations

from collections.abc import Iterable

from mysimbdp.audit.facts import Discrepancy, Facts


def lost(facts: Facts) -> Iterable[Discrepancy]:
    """Files without a verdict that are not pending either."""
    for record in facts.records:
        if not record.state.is_final and record.ref not in facts.pending:
            yield facts.found("lost", record, f"is {record.state}, but nobody looks after it")
