"""One tenant's audit: every check over the same facts, and a second look before anything is reported."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from mysimbdp.audit.claims import claims
from mysimbdp.audit.facts import Discrepancy, gather
from mysimbdp.audit.landing import archives, inbox, receipts
from mysimbdp.audit.lost import lost
from mysimbdp.audit.quota import quota
from mysimbdp.audit.rows import rows
from mysimbdp.audit.samples import sampled
from mysimbdp.audit.tables import Holding, counted
from mysimbdp.ledger.balance import Balance, balance_of
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.settings import Settings

CHECKS = (lost, claims, rows, quota, inbox, receipts, archives)


@dataclass(frozen=True, slots=True)
class Audit:
    """The sums of one tenant and everything found wrong; `holdings` by file where the tables were counted."""

    balance: Balance
    discrepancies: list[Discrepancy]
    holdings: list[Holding] = field(default_factory=list)


async def audit_tenant(ledger: Ledger, settings: Settings, tenant: str, *, full: bool = False) -> Audit:
    """Check one tenant's ledger against itself, the landing folders and the tables: samples of these, or, `full`,
    every row.

    Records that change while the audit reads them can look wrong for a moment: whatever is found is read
    again before it is reported.
    """
    seed = secrets.randbits(32)
    found = await _look(ledger, settings, tenant, seed, full=full)
    if found.discrepancies:
        again = await _look(ledger, settings, tenant, seed, full=full)
        suspects = {(item.check, item.subject) for item in found.discrepancies}
        confirmed = [item for item in again.discrepancies if (item.check, item.subject) in suspects]
        return Audit(again.balance, confirmed, again.holdings)
    return found


async def _look(ledger: Ledger, settings: Settings, tenant: str, seed: int, *, full: bool) -> Audit:
    facts = await gather(ledger, settings, tenant)
    found = [item for check in CHECKS for item in check(facts)]
    if not full:
        found += [item async for item in sampled(ledger, facts, seed)]
        return Audit(balance_of(tenant, facts.records), found)
    tables = await counted(ledger, facts)
    return Audit(balance_of(tenant, facts.records), [*found, *tables.discrepancies], tables.holdings)
