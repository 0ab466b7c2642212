"""Reads tenants/<id>/tenant.yaml. Errors are data: one broken file never hurts another tenant.

Cheap to ask again: a file is read again only when its inode, size or time of change is another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from mysimbdp.errors import Code, Problem, TerminalError
from mysimbdp.tenants.explain import explain
from mysimbdp.tenants.model import Tenant
from mysimbdp.tenants.yamlfile import Places, YamlFault, parse, read_bytes

FILE_NAME = "tenant.yaml"
_ID = re.compile(r"[a-z][a-z0-9_]{1,30}")

_Stamp = tuple[int, int, int]
_Verdict = Tenant | list[Problem]
_cache: dict[Path, tuple[_Stamp, _Verdict]] = {}


@dataclass(frozen=True, slots=True)
class TenantStore:
    """All tenants of a folder, by the name of their folder."""

    valid: dict[str, Tenant] = field(default_factory=dict)
    broken: dict[str, list[Problem]] = field(default_factory=dict)


def load_tenants(folder: Path, *, only: str | None = None) -> TenantStore:
    """Read every tenant file below `folder` (or that of the tenant `only`), in the order of their names.

    Folders whose name begins with a dot or an underscore are left out; a folder that is missing holds no tenants.
    """
    store = TenantStore()
    for home in _homes(folder) if only is None else [folder / only]:
        verdict = _read(home)
        if isinstance(verdict, Tenant):
            store.valid[home.name] = verdict
        elif home.is_dir():
            store.broken[home.name] = verdict
    return store


def load_tenant(folder: Path, tenant_id: str) -> Tenant:
    """The tenant `tenant_id`.

    Raises:
        TerminalError: TENANT_UNKNOWN, or TENANT_INVALID with the first thing that is wrong.
    """
    if not _ID.fullmatch(tenant_id) or not (folder / tenant_id).is_dir():
        raise TerminalError(Problem(Code.TENANT_UNKNOWN, f"there is no tenant {tenant_id!r} in {folder}"))
    verdict = _read(folder / tenant_id)
    if isinstance(verdict, Tenant):
        return verdict
    raise TerminalError(verdict[0])


def _homes(folder: Path) -> list[Path]:
    try:
        return sorted(home for home in folder.iterdir() if home.name[0] not in "._" and home.is_dir())
    except FileNotFoundError:
        return []


def _read(home: Path) -> _Verdict:
    path = home / FILE_NAME
    try:
        facts = path.stat()
        stamp = (facts.st_mtime_ns, facts.st_size, facts.st_ino)
    except OSError:
        _cache.pop(path, None)
        stamp = (-1, -1, -1)  # the reason comes out of reading it
    known = _cache.get(path)
    if known is not None and known[0] == stamp:
        return known[1]
    verdict = _judge(path)
    if stamp[0] >= 0:
        _cache[path] = (stamp, verdict)
    return verdict


def _judge(path: Path) -> _Verdict:
    try:
        raw = read_bytes(path)
        data = parse(raw)
    except YamlFault as fault:
        column = str(fault.column) if fault.column else None
        return [Problem(Code.TENANT_INVALID, fault.what, str(path), fault.line, column)]
    if not isinstance(data, dict):
        return [Problem(Code.TENANT_INVALID, "a mapping that begins with `tenant:` is needed", str(path), 1)]
    try:
        tenant = Tenant.model_validate(data)
    except ValidationError as error:
        return explain(str(path), raw, error)
    if tenant.tenant != path.parent.name:
        what = f"the id {tenant.tenant!r} is not the name of its folder, {path.parent.name!r}"
        line = Places(raw).line_of(["tenant"])
        return [Problem(Code.TENANT_INVALID, what, str(path), line, "tenant", tenant.tenant)]
    return tenant
