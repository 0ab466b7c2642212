"""Finds a tenant's app and says how it is started."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from mysimbdp import __version__
from mysimbdp.apps.contract import AppManifest, OutputKind
from mysimbdp.errors import Code, Problem, TerminalError
from mysimbdp.formats.fieldnames import nearest
from mysimbdp.settings import settings
from mysimbdp.tenants.model import Tenant
from mysimbdp.tenants.yamlfile import Places, YamlFault, parse, read_bytes

BUILTIN = "builtin"


@dataclass(frozen=True, slots=True)
class App:
    """An app ready to be started: `argv` lacks only the input's path. `folder` is None for the built-in one."""

    name: str
    version: str
    digest: str
    argv: tuple[str, ...]
    output: OutputKind
    folder: Path | None
    tables: tuple[str, ...] | None = None


def resolve_app(tenant: Tenant, app_name: str | None) -> App:
    """Return the app `app_name` of `tenant`, or the built-in one for None.

    Raises:
        TerminalError: APP_NOT_FOUND (no such folder or no app.yaml), APP_INVALID with file and line.
    """
    if app_name is None:
        start = (sys.executable, "-I", "-m", "mysimbdp.apps.builtin")
        return App(BUILTIN, __version__, __version__, start, "arrow", None)
    folder = settings().client_apps_dir / tenant.tenant / app_name
    manifest_path = folder / "app.yaml"
    if not manifest_path.is_file():
        what = f"the tenant {tenant.tenant} has no app {app_name!r}: there is no {manifest_path}"
        raise TerminalError(Problem(Code.APP_NOT_FOUND, what))
    manifest = _manifest(manifest_path)
    for table in manifest.tables or ():
        if table not in tenant.tables:
            what = f"tables: {table!r} is not a table of {tenant.tenant}"
            raise _invalid(manifest_path, what, key="tables")
    argv = _argv(manifest.command, folder, manifest_path)
    tables = tuple(manifest.tables) if manifest.tables is not None else None
    return App(app_name, manifest.version, folder_digest(folder), argv, manifest.output, folder, tables)


def folder_digest(folder: Path) -> str:
    """Return the sha256 (hex) over names and contents of all files below `folder`, byte code left out."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            name = str(path.relative_to(folder)).encode("utf-8", "surrogateescape")
            content = hashlib.sha256(path.read_bytes()).digest()
            digest.update(len(name).to_bytes(4) + name + content)
    return digest.hexdigest()


def _argv(command: list[str], folder: Path, manifest_path: Path) -> tuple[str, ...]:
    program, *arguments = command
    if program in ("python3", "python"):
        # -I: neither the environment nor the working directory can put modules in front of the app's own.
        program, arguments = sys.executable, ["-I", *arguments]
    elif "/" in program or (folder / program).exists():
        program = str(_inside(program, folder, manifest_path))
    return (program, *(_argument(argument, folder) for argument in arguments))


def _argument(argument: str, folder: Path) -> str:
    """A plain name of a file in the app's folder stands for that file."""
    if argument.startswith("-") or not (folder / argument).is_file():
        return argument
    return str((folder / argument).resolve())


def _inside(program: str, folder: Path, manifest_path: Path) -> Path:
    path = (folder / program).resolve()
    if Path(program).is_absolute():
        path = Path(program)
    elif not path.is_relative_to(folder.resolve()):
        what = f"command: {program!r} leads out of the app's folder"
        raise _invalid(manifest_path, what, key="command")
    if not path.is_file():
        what = f"command: there is no program {program!r}"
        raise _invalid(manifest_path, what, key="command")
    return path


def _manifest(path: Path) -> AppManifest:
    try:
        raw = read_bytes(path)
        data = parse(raw)
    except YamlFault as fault:
        raise _invalid(path, fault.what, fault.line) from None
    try:
        return AppManifest.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = [step for step in first["loc"] if isinstance(step, str | int)]
        key = ".".join(map(str, where)) or None
        what = f"{key}: {first['msg']}" if key else first["msg"]
        if first["type"] == "extra_forbidden" and key:
            like = nearest(key, list(AppManifest.model_fields))
            what = f"unknown key {key!r}" + (f"; did you mean {like!r}?" if like else "")
        raise _invalid(path, what, Places(raw).line_of(where), key) from None


def _invalid(path: Path, what: str, line: int | None = None, key: str | None = None) -> TerminalError:
    return TerminalError(Problem(Code.APP_INVALID, what, file=str(path), line=line, column=key))
