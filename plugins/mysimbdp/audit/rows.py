"""Do the counts of each file add up?"""

from __future__ import annotations

from collections.abc import Iterable

from mysimbdp.audit.facts import Discrepancy, Facts


def rows(facts: Facts) -> Iterable[Discrepancy]:
    """Files whose rows read are not those written and those rejected."""
    for record in facts.records:
        if record.state.is_final and record.rows_read != record.rows_written + record.rows_rejected:
            what = f"{record.rows_read} rows read ≠ {record.rows_written} written + {record.rows_rejected} rejected"
            yield facts.found("rows", record, what)
