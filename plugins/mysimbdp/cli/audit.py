"""`mysimbdp audit`: the proof that nothing is lost and nothing doubled."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from mysimbdp.cli.output import print_json, print_table
from mysimbdp.errors import Exit

if TYPE_CHECKING:
    from mysimbdp.audit import Audit

COLUMNS = (
    "tenant", "received", "committed", "rejected", "failed", "duplicate", "pending",
    "rows_read", "rows_committed", "rows_rejected", "rows_pending",
)  # fmt: skip


def mount(app: typer.Typer) -> None:
    """Add this module's command to the command line."""
    app.command()(audit)


def audit(
    *,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Check that received = committed + rejected + failed + duplicate + pending, and name what breaks it.

    Exit codes: 0 it balances; 1 something does not; 3 coredms is not reachable.

    Examples:

        mysimbdp audit

        mysimbdp audit --tenant atlas --json
    """
    from mysimbdp.audit import audit_tenant  # noqa: PLC0415
    from mysimbdp.ledger.ledger import open_ledger  # noqa: PLC0415
    from mysimbdp.settings import settings  # noqa: PLC0415

    async def work() -> list[Audit]:
        async with open_ledger() as ledger:
            tenants = [tenant] if tenant else await ledger.arrivals.tenants()
            return [await audit_tenant(ledger, settings(), name) for name in tenants]

    audits = asyncio.run(work())
    found = [asdict(item) for one in audits for item in one.discrepancies]
    if json:
        print_json({"balances": [one.balance.as_dict() for one in audits], "discrepancies": found})
    else:
        print_table([one.balance.as_dict() for one in audits], COLUMNS)
        if found:
            print_table(found, ("tenant", "check", "subject", "what"), title="discrepancies")
    if found:
        raise typer.Exit(Exit.NOT_WELL)
