"""All that can be said of tenant files before they are used: what makes one invalid, and what would not work."""

from __future__ import annotations

from pathlib import Path

from mysimbdp.errors import Code, Problem
from mysimbdp.tenants.model import Tenant
from mysimbdp.tenants.reachability import unreachable
from mysimbdp.tenants.retention import outliving
from mysimbdp.tenants.store import FILE_NAME, load_tenants
from mysimbdp.tenants.yamlfile import Places, read_bytes


def lint(tenants_dir: Path, client_apps_dir: Path, tenant_id: str | None = None) -> dict[str, list[Problem]]:
    """Problems of each tenant (or of `tenant_id` alone), by tenant; an empty list is a clean bill.

    Beside what makes a file invalid: a route to an app that is not there, a route no file can reach, and traces of
    a file that would be kept longer than what says whose they are.
    """
    store = load_tenants(tenants_dir, only=tenant_id)
    found = dict(store.broken)
    for name, tenant in store.valid.items():
        found[name] = _beyond_the_model(tenants_dir / name / FILE_NAME, tenant, client_apps_dir / name)
    if tenant_id is not None and tenant_id not in found:
        found[tenant_id] = [Problem(Code.TENANT_UNKNOWN, f"there is no tenant {tenant_id!r} in {tenants_dir}")]
    return dict(sorted(found.items()))


def _beyond_the_model(path: Path, tenant: Tenant, apps: Path) -> list[Problem]:
    places = Places(read_bytes(path))
    problems = []
    for number, route in enumerate(tenant.batch.routes):
        if route.app is not None and not (apps / route.app / "app.yaml").is_file():
            what = f"the app {route.app!r} is not there: no {apps / route.app / 'app.yaml'}"
            problems.append(_problem(path, places, ["batch", "routes", number, "app"], what, route.app))
    for number, place, pattern, taker in unreachable(tenant.batch.routes):
        what = f"no file can reach the pattern {pattern!r}: {taker!r} of an earlier route takes them all"
        problems.append(_problem(path, places, ["batch", "routes", number, "files", place], what, pattern))
    for key, what in outliving(tenant.retention):
        problems.append(_problem(path, places, ["retention", key], what, str(getattr(tenant.retention, key))))
    return sorted(problems, key=lambda problem: problem.line or 0)


def _problem(path: Path, places: Places, key: list[str | int], what: str, value: str) -> Problem:
    return Problem(Code.TENANT_INVALID, what, str(path), places.line_of(key), ".".join(map(str, key)), value)
