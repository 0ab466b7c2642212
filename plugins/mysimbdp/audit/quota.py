"""Is what a tenant has stored what its quota counts?"""

from __future__ import annotations

from collections.abc import Iterable

from mysimbdp.audit.facts import Discrepancy, Facts


def quota(facts: Facts) -> Iterable[Discrepancy]:
    """Sums that are not those of the reservations, files without one, reservations without a file."""
    reserved, sums = facts.reserved, (facts.stored.files, facts.stored.bytes)
    if sums != (len(reserved), sum(reserved.values())):
        what = f"the sums {sums} are not those of the {len(reserved)} files ({sum(reserved.values())} bytes)"
        yield Discrepancy(facts.tenant, "quota", facts.tenant, what)
    stored = {record.ingest_id for record in facts.records if record.is_stored or not record.state.is_final}
    # Room is given back, or passed on to a replay, when the receipt is written.
    moving = {ref.ingest_id for ref in facts.pending} | facts.unnamed.keys()
    moving |= {record.displaced for record in facts.records if record.displaced and record.ref in facts.pending}
    for record in facts.records:
        is_counted = record.ingest_id in reserved or record.ingest_id in facts.replayed | moving
        if record.is_stored and not is_counted:
            yield facts.found("quota", record, "is stored, but not counted")
    for ingest in set(reserved) - (stored - facts.replayed) - moving:
        yield Discrepancy(facts.tenant, "quota", str(ingest), "is counted, but not stored")
