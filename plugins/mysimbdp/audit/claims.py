"""Do the bytes of each file belong to the ingest that is said to have them?"""

from __future__ import annotations

from collections.abc import Iterable

from mysimbdp.audit.facts import Discrepancy, Facts
from mysimbdp.ledger.states import State


def claims(facts: Facts) -> Iterable[Discrepancy]:
    """Live and stored files without the claim on their bytes, others with it, purges that were not ended."""
    replayed = facts.replayed
    for record in facts.records:
        owns = record.state in {State.CLAIMED, State.INGESTING} or (
            record.is_stored and record.ingest_id not in replayed
        )
        if owns and not record.holds_claim:
            what = f"is {record.state}, but its bytes are claimed by {record.live_ingest}"
            yield facts.found("claim", record, what)
        if not owns and record.holds_claim:
            state = "purged" if record.purged_at else record.state
            yield facts.found("claim", record, f"is {state}, but still holds the claim on its bytes")
        if record.purge_begun_at is not None and record.purged_at is None:
            what = f"its purge was begun and not ended: `mysimbdp purge {record.ingest_id}` ends it"
            yield facts.found("purge", record, what)
