"""The audit: proves that nothing is lost and nothing doubled, and names what breaks the proof."""

from mysimbdp.audit.audit import Audit, audit_tenant

__all__ = ["Audit", "audit_tenant"]
