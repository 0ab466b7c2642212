"""The ledger as one thing to open: files, arrivals, quotas and switches over one session."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mysimbdp.coredms.session import coredms_session
from mysimbdp.ledger.arrivals import Arrivals
from mysimbdp.ledger.erasure import Erasure
from mysimbdp.ledger.files import Files
from mysimbdp.ledger.pruning import Pruning
from mysimbdp.ledger.purges import Purges
from mysimbdp.ledger.quotas import Quotas
from mysimbdp.ledger.record import FileRecord
from mysimbdp.ledger.statements import Statements
from mysimbdp.ledger.switches import Switches


class Ledger:
    """The rooms of the ledger; `session` is the acsylla session they share."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self._statements = statements = Statements(session)
        self.files = Files(statements)
        self.arrivals = Arrivals(statements)
        self.quotas = Quotas(statements)
        self.purges = Purges(statements)
        self.switches = Switches(statements)
        self.pruning = Pruning(statements, self.arrivals, self.quotas)
        self.erasure = Erasure(statements, self.arrivals)

    async def keyspaces(self) -> list[str]:
        """Every keyspace of coredms, also the tenants' and Cassandra's own."""
        rows = await self._statements.run("SELECT keyspace_name FROM system_schema.keyspaces")
        return sorted(row["keyspace_name"] for row in rows)

    async def records(self, tenant: str, *, limit: int | None = None) -> list[FileRecord]:
        """The tenant's records, newest first; what was received and not yet claimed has state `received`."""
        found: list[FileRecord] = []
        async for ref in self.arrivals.of(tenant):
            if limit is not None and len(found) >= limit:
                break
            record = await self.files.find(ref)
            found.append(record or FileRecord(ref.tenant, ref.sha256, ref.ingest_id))
        return found


@asynccontextmanager
async def open_ledger() -> AsyncIterator[Ledger]:
    """Open the ledger through the connection mysimbdp_coredms.

    Raises:
        TransientError: COREDMS_UNREACHABLE.
    """
    async with coredms_session() as session:
        yield Ledger(session)
