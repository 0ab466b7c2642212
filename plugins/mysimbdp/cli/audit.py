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

HELD_COLUMNS = (
    "tenant", "file", "table", "rows_written", "rows_repeated", "rows_superseded", "rows_held", "rows_lost",
    "ingest_id",
)  # fmt: skip


def mount(app: typer.Typer) -> None:
    """Add this module's command to the command line."""
    app.command()(audit)


def audit(
    *,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant.")] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Count every row of every table, instead of looking up samples.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Check that received = committed + rejected + failed + duplicate + pending, and name what breaks it.

    Ledger, quotas and landing folders are checked in full; of the latest files some rows are looked up. --full counts
    the rows of all tables: written - repeated in the file - superseded by later files = held, or rows are lost.

    Exit codes: 0 it balances; 1 something does not; 3 coredms is not reachable.

    Examples:

        mysimbdp audit

        mysimbdp audit --tenant atlas --json

        mysimbdp audit --tenant atlas --full
    """
    from mysimbdp.audit import audit_tenant  # noqa: PLC0415
    from mysimbdp.ledger.ledger import open_ledger  # noqa: PLC0415
    from mysimbdp.settings import settings  # noqa: PLC0415

    async def work() -> list[Audit]:
        async with open_ledger() as ledger:
            tenants = [tenant] if tenant else await ledger.arrivals.tenants()
            return [await audit_tenant(ledger, settings(), name, full=full) for name in tenants]

    audits = asyncio.run(work())
    found = [asdict(item) for one in audits for item in one.discrepancies]
    held = [asdict(item) for one in audits for item in one.holdings]
    if json:
        holdings = {"holdings": held} if full else {}
        print_json({"balances": [one.balance.as_dict() for one in audits], **holdings, "discrepancies": found})
    else:
        print_table([one.balance.as_dict() for one in audits], COLUMNS)
        if full:
            print_table(held, HELD_COLUMNS, title="rows in the tables")
        if found:
            print_table(found, ("tenant", "check", "subject", "what"), title="discrepancies")
    if found:
        raise typer.Exit(Exit.NOT_WELL)
