"""`mysimbdp tenants`: check, list, apply and make tenant files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mysimbdp.cli.output import exit_code, print_error, print_json, print_table
from mysimbdp.cli.standing import known_switches, standing, without_removed
from mysimbdp.errors import Code, Exit, MysimbdpError, Problem, TerminalError

if TYPE_CHECKING:
    from mysimbdp.tenants.model import Tenant

group = typer.Typer(help="Tenant files: check, list, apply, make.", no_args_is_help=True)

Ids = Annotated[list[str] | None, typer.Argument(help="Tenant ids; none = all.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def mount(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    app.add_typer(group, name="tenants")


@group.command()
def lint(ids: Ids = None, *, json: Json = False) -> None:
    """Check tenant files: file, line, key and the nearest known key of everything that is wrong.

    Exit codes: 0 all are clean; 4 something is wrong.

    Examples:

        mysimbdp tenants lint

        mysimbdp tenants lint playstore atlas --json
    """
    from mysimbdp.settings import settings  # noqa: PLC0415
    from mysimbdp.tenants.lint import lint as check  # noqa: PLC0415

    tenants_dir, apps_dir = settings().tenants_dir, settings().client_apps_dir
    found: dict[str, list[Problem]] = {}
    every: list[str | None] = [None]
    for tenant_id in ids or every:
        found |= check(tenants_dir, apps_dir, tenant_id)
    if json:
        print_json([{"tenant": name, **one.as_dict()} for name, problems in found.items() for one in problems])
    else:
        for name, problems in found.items():
            for one in problems:
                typer.echo(f"{one.file or name}:{one.line or 1}: {one.column or ''}: {one.what} [{one.code}]")
            if not problems:
                typer.echo(f"{name}: ok")
    if any(found.values()):
        raise typer.Exit(Exit.INVALID_INPUT)


@group.command(name="list")
def list_(*, json: Json = False) -> None:
    """List the tenants, also those whose file is broken: enabled, disabled or removed, and how many files wait.

    Without coredms nobody knows who is disabled: the state is `unknown`, with a warning.

    Exit codes: 0 all are valid; 4 some file is broken.

    Examples:

        mysimbdp tenants list

        mysimbdp tenants list --json
    """
    from mysimbdp.settings import settings  # noqa: PLC0415
    from mysimbdp.tenants.store import load_tenants  # noqa: PLC0415

    store = load_tenants(settings().tenants_dir)
    switches = known_switches()
    rows = [{**_facts(tenant), **standing(tenant.tenant, switches)} for tenant in store.valid.values()]
    for name, problems in store.broken.items():
        rows.append({"tenant": name, **standing(name, switches), "problem": str(problems[0])})
    columns = ["tenant", "title", "state", "reason", "waiting", "tables", "formats", "max_nb_files", "max_file_size_mb"]
    print_table(rows, [*columns, "problem"] if store.broken else columns, json=json)
    if store.broken:
        raise typer.Exit(Exit.INVALID_INPUT)


def _facts(tenant: Tenant) -> dict[str, Any]:
    return {
        "tenant": tenant.tenant,
        "title": tenant.title,
        "tables": ", ".join(tenant.tables),
        "formats": ", ".join(tenant.constraints.allowed_file_format),
        "max_nb_files": tenant.constraints.max_nb_files,
        "max_file_size_mb": tenant.constraints.max_file_size,
        "keyspace": tenant.keyspace,
        "pool": tenant.pool,
        "dag": tenant.dag_id,
        "problem": None,
    }


@group.command()
def apply(
    ids: Ids = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be changed.")] = False,
    json: Json = False,
) -> None:
    """Create keyspaces, tables and the ledger, add new columns, and size the tenants' Airflow pools.

    Idempotent. A change that Cassandra cannot make in place is refused, and nothing of that tenant is changed; the
    other tenants are applied all the same. A tenant that was removed is left out, with a warning; so are the pools
    without Airflow: watch_inboxes makes them too.

    Exit codes: 0 applied; 3 coredms is not reachable; 4 a tenant is unknown, broken or changed incompatibly.

    Examples:

        mysimbdp tenants apply

        mysimbdp tenants apply playstore --dry-run --json
    """
    from mysimbdp.coredms.hook import hook_session  # noqa: PLC0415
    from mysimbdp.coredms.schema import apply_ledger, apply_tenant  # noqa: PLC0415
    from mysimbdp.ledger.schema import LEDGER_KEYSPACE, LEDGER_TABLES  # noqa: PLC0415

    tenants, faults = _chosen(ids)
    changes = [
        {"tenant": None, **change.as_dict()} for change in apply_ledger(LEDGER_KEYSPACE, LEDGER_TABLES, dry_run=dry_run)
    ]
    applied: list[Tenant] = []
    with hook_session() as session:
        for tenant in without_removed(tenants):
            try:
                done = apply_tenant(tenant, dry_run=dry_run, shared_session=session)
            except TerminalError as fault:
                faults.append(fault)
                continue
            applied.append(tenant)
            changes += [{"tenant": tenant.tenant, **change.as_dict()} for change in done]
    if not dry_run:
        changes += _size_pools(applied)
    _say(changes, faults, json=json, count=len(applied))
    if faults:
        raise typer.Exit(max(exit_code(fault.problem) for fault in faults))


def _chosen(ids: list[str] | None) -> tuple[list[Tenant], list[MysimbdpError]]:
    from mysimbdp.settings import settings  # noqa: PLC0415
    from mysimbdp.tenants.store import load_tenant, load_tenants  # noqa: PLC0415

    folder = settings().tenants_dir
    tenants: list[Tenant] = []
    faults: list[MysimbdpError] = []
    if not ids:
        store = load_tenants(folder)
        return list(store.valid.values()), [TerminalError(problems[0]) for problems in store.broken.values()]
    for tenant_id in ids:
        try:
            tenants.append(load_tenant(folder, tenant_id))
        except TerminalError as fault:
            faults.append(fault)
    return tenants, faults


def _size_pools(tenants: list[Tenant]) -> list[dict[str, Any]]:
    """The pools that were changed; without Airflow none, and a warning."""
    from mysimbdp.airflow_api import AirflowApi  # noqa: PLC0415

    async def work() -> list[dict[str, Any]]:
        changed = []
        async with AirflowApi() as api:
            for tenant in tenants:
                slots = tenant.batch.max_parallel_tasks
                outcome = await api.ensure_pool(tenant.pool, slots, f"Tasks of the tenant {tenant.tenant} at once")
                if outcome != "unchanged":
                    action = {"action": f"{outcome} pool", "detail": f"{tenant.pool}: {slots} slots"}
                    changed.append({"tenant": tenant.tenant, **action})
        return changed

    try:
        return asyncio.run(work())
    except MysimbdpError as fault:
        if fault.problem.code not in (Code.AIRFLOW_UNREACHABLE, Code.CONNECTION_MISSING):
            raise
        typer.echo(f"warning: pools are left as they are: {fault.problem.what}", err=True)
        return []


def _say(changes: list[dict[str, Any]], faults: list[MysimbdpError], *, json: bool, count: int) -> None:
    if json:
        print_json({"changes": changes, "problems": [fault.problem.as_dict() for fault in faults]})
    elif changes:
        print_table(changes, ("tenant", "action", "keyspace", "table", "column", "detail"))
    else:
        typer.echo(f"{count} tenant{'' if count == 1 else 's'}: nothing to change")
    for fault in faults:
        print_error(fault)


@group.command()
def new(
    tenant_id: Annotated[str, typer.Argument(metavar="ID", help="2 to 31 of a-z, 0-9 and _, a letter first.")],
    *,
    sample: Annotated[
        Path | None, typer.Option("--from", help="A csv, txt, json or jsonl file to guess the columns from.")
    ] = None,
    json: Json = False,
) -> None:
    """Write tenants/ID/tenant.yaml, with comments, ready to be edited.

    Exit codes: 0 written; 1 the sample cannot be used; 4 the id is not valid or taken.

    Examples:

        mysimbdp tenants new acme

        mysimbdp tenants new acme --from orders.csv
    """
    from mysimbdp.settings import settings  # noqa: PLC0415
    from mysimbdp.tenants.scaffold import scaffold  # noqa: PLC0415

    path = scaffold(settings().tenants_dir, tenant_id, sample)
    if json:
        print_json({"tenant": tenant_id, "file": str(path)})
    else:
        typer.echo(f"{path}\nEdit it, then: mysimbdp tenants lint {tenant_id} && mysimbdp tenants apply {tenant_id}")
