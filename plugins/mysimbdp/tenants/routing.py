"""Which table and app a file goes to: the first route whose pattern fits its name."""

from __future__ import annotations

from fnmatch import fnmatchcase

from mysimbdp.tenants.model import Route, Tenant


def route(tenant: Tenant, file_name: str) -> Route | None:
    """Return the route of `file_name` (case does not matter), or None when no pattern fits."""
    if not tenant.batch.routes:
        return Route(files=["*"], table=next(iter(tenant.tables)))
    name = file_name.lower()
    for candidate in tenant.batch.routes:
        if any(fnmatchcase(name, pattern.lower()) for pattern in candidate.files):
            return candidate
    return None
