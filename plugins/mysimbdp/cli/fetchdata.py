"""`mysimbdp fetchdata`: the customer-side program on the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mysimbdp.cli.output import print_error, print_table
from mysimbdp.errors import Exit, TerminalError

if TYPE_CHECKING:
    from mysimbdp.clients.eligibility import Verdict
    from mysimbdp.clients.fetchdata import Fetchdata, Fetched


def mount(app: typer.Typer) -> None:
    """Add this module's command to the command line."""
    app.command()(fetchdata)


def fetchdata(
    *,
    tenant: Annotated[str, typer.Option("--tenant", "-t", help="The tenant whose files these are.")],
    source: Annotated[Path, typer.Option("--from", help="The client-input-directory. It is only read.")],
    to: Annotated[
        Path | None, typer.Option(help="The landing folder, with inbox/ and receipts/. Default: the tenant's here.")
    ] = None,
    again: Annotated[bool, typer.Option(help="Send also what was sent before.")] = False,
    wait: Annotated[bool, typer.Option(help="Wait for the receipts and show them.")] = False,
    timeout: Annotated[float, typer.Option(min=0, help="Longest wait for receipts, in seconds.")] = 120.0,
    settle: Annotated[
        float, typer.Option(min=0, help="Seconds a file must not have changed to count as complete.")
    ] = 0.5,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Send the eligible files of a folder to the platform.

    A file is eligible when it is complete, its name, format and size are what the tenant may send, there is
    room left, and the same bytes were not sent before. Why the others stay is said for each.

    Exit codes: 0 everything eligible was sent; 1 something was not, or a receipt is bad or missing;
    4 the tenant or the folder is wrong.

    Examples:

        mysimbdp fetchdata --tenant playstore --from ~/exports

        mysimbdp fetchdata --tenant playstore --from ~/exports --wait --timeout 60 --json

        mysimbdp fetchdata --tenant playstore --from ~/exports --dry-run
    """
    program = _program(tenant, source, to)
    try:
        if dry_run:
            planned = [_planned(verdict) for verdict in program.choose(again=again, settle_seconds=settle)]
            print_table(planned, ("file", "eligible", "bytes", "reason"), json=json)
            return
        with program.alone():
            verdicts = program.choose(again=again, settle_seconds=settle)
            fetched = _send(program, verdicts, show=not json and sys.stderr.isatty())
    except TerminalError as error:
        print_error(error)
        raise typer.Exit(Exit.INVALID_INPUT) from error
    if wait:
        fetched = program.follow(fetched, timeout_seconds=timeout)
    columns = ("file", "eligible", "sent", "bytes", "reason")
    columns_after_wait = ("outcome", "rows_read", "rows_written", "rows_rejected", "seconds") if wait else ()
    print_table([_row(file) for file in fetched], (*columns, *columns_after_wait), json=json)
    unanswered = wait and any(file.sent and file.receipt is None for file in fetched)
    if unanswered or any(file.went_wrong for file in fetched):
        raise typer.Exit(Exit.NOT_WELL)


def _program(tenant_id: str, source: Path, to: Path | None) -> Fetchdata:
    from mysimbdp.clients.fetchdata import Fetchdata  # noqa: PLC0415  # --help stays fast
    from mysimbdp.clients.landing_folder import LandingFolder  # noqa: PLC0415
    from mysimbdp.clients.sent import SentLog  # noqa: PLC0415
    from mysimbdp.landing.layout import Landing  # noqa: PLC0415
    from mysimbdp.settings import settings  # noqa: PLC0415
    from mysimbdp.tenants.store import load_tenant  # noqa: PLC0415

    tenant = load_tenant(settings().tenants_dir, tenant_id)
    if to is None:
        own = Landing(settings(), tenant.tenant)
        own.ensure()
        to = own.inbox.parent
    landing = LandingFolder(to)
    return Fetchdata(tenant, source, landing, SentLog(settings().home / "fetchdata", tenant.tenant, landing.address))


def _send(program: Fetchdata, verdicts: list[Verdict], *, show: bool) -> list[Fetched]:
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn  # noqa: PLC0415

    from mysimbdp.landing.names import safe_label  # noqa: PLC0415

    total = sum(verdict.seen.size for verdict in verdicts if verdict.problem is None)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not show) as progress:
        task = progress.add_task("sending", total=total)
        return program.send(
            verdicts,
            lambda seen, count: progress.update(task, advance=count, description=escape(safe_label(seen.name))),
        )


def _planned(verdict: Verdict) -> dict[str, Any]:
    from mysimbdp.clients.fetchdata import Fetched  # noqa: PLC0415

    eligible = verdict.problem is None
    return _row(Fetched(verdict.seen, eligible, sent=False, sha256=verdict.sha256, problem=verdict.problem))


def _row(file: Fetched) -> dict[str, Any]:
    problem, receipt = file.problem, file.receipt
    row: dict[str, Any] = {
        "file": file.label,
        "eligible": file.eligible,
        "sent": file.sent,
        "bytes": file.seen.size,
        "sha256": file.sha256,
        "code": str(problem.code) if problem else None,
        "reason": f"{problem.what} [{problem.code}]" if problem else None,
        "advice": problem.advice if problem else None,
    }
    if receipt is not None:
        reason = f"{receipt.reason} [{receipt.code}]" if receipt.code else None
        told = {"outcome": receipt.outcome, "code": receipt.code, "reason": reason, "advice": receipt.advice}
        counts = {key: getattr(receipt, key) for key in ("rows_read", "rows_written", "rows_rejected", "seconds")}
        row.update({**told, **counts, "ingest_id": str(receipt.ingest_id), "table": receipt.table})
    return row
