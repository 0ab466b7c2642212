"""The audit: proves that nothing is lost and nothing doubled, and names what breaks the proof."""

from mysimbdp.audit.audit import Audit, audit_tenant
from mysimbdp.audit.facts import Discrepancy

__all__ = ["Audit", "Discrepancy", "audit_tenant"]
