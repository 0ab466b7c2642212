"""Everything the ledger holds of one tenant: how much it is, and its end."""

from __future__ import annotations

from mysimbdp.ledger.arrivals import Arrivals
from mysimbdp.ledger.schema import LEDGER_KEYSPACE
from mysimbdp.ledger.statements import Statements

_BY_TENANT = ("months", "pending", "quotas", "schemas")
"""Tables whose partition is the tenant; `months` leads to all the others' rows and goes after them."""


class Erasure:
    """Counts and erases. Erasing may be killed and repeated: what leads to a row outlives the row."""

    def __init__(self, statements: Statements, arrivals: Arrivals) -> None:
        self._statements = statements
        self._arrivals = arrivals

    async def rows(self, tenant: str) -> dict[str, int]:
        """Rows of the tenant by table, without tables that hold none; `files` are its arrivals' records."""
        arrivals = sum([1 async for _ in self._arrivals.of(tenant)])
        found = {"files": arrivals, "arrivals": arrivals}
        for table in _BY_TENANT:
            cql = f"SELECT COUNT(*) AS held FROM {LEDGER_KEYSPACE}.{table} WHERE tenant = ?"
            found[table] = (await self._statements.run(cql, tenant))[0]["held"]
        return {table: held for table, held in found.items() if held}

    async def erase(self, tenant: str) -> None:
        """Remove every row of the tenant except its switch."""
        for month in reversed(await self._arrivals.months(tenant)):
            async for ref in self._arrivals.in_month(tenant, month):
                await self._delete("files", "tenant = ? AND sha256 = ?", tenant, ref.sha256)
            await self._delete("arrivals", "tenant = ? AND month = ?", tenant, month)
        for table in _BY_TENANT:
            await self._delete(table, "tenant = ?", tenant)

    async def _delete(self, table: str, key: str, *values: str) -> None:
        await self._statements.run(f"DELETE FROM {LEDGER_KEYSPACE}.{table} WHERE {key}", *values)
