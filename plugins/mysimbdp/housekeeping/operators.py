"""The tasks of the housekeeping DAGs."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from mysimbdp.audit import Discrepancy
from mysimbdp.housekeeping.retention import Pruned
from mysimbdp.housekeeping.rounds import audit_round, retention_round
from mysimbdp.ledger.files import now
from mysimbdp.ledger.ledger import open_ledger
from mysimbdp.settings import settings


class AuditEverything(BaseOperator):
    """Fails when anything is lost, doubled, stuck or left over; each discrepancy is a line of its log."""

    def execute(self, context: Context) -> None:
        """No retry would mend a discrepancy; a service that is away is worth one."""
        found = asyncio.run(self._audit())
        for item in found:
            self.log.error("%s: %s %s %s", item.tenant, item.check, item.subject, item.what)
        if found:
            raise AirflowFailException(
                f"{len(found)} discrepancies, each in the log above; `mysimbdp audit` has them too"
            )
        self.log.info("everything balances, and nothing is left over")

    async def _audit(self) -> list[Discrepancy]:
        async with open_ledger() as ledger:
            return [found async for found in audit_round(ledger, settings())]


class PruneEverything(BaseOperator):
    """Removes what the tenants' retention gives up, and says what it was."""

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Returns what was removed of each tenant and kind."""
        return [
            {"tenant": one.tenant, "kind": one.kind, "count": one.count, "bytes": one.bytes, "more": one.more}
            for one in asyncio.run(self._prune())
            if one.count
        ]

    async def _prune(self) -> list[Pruned]:
        done: list[Pruned] = []
        log: logging.Logger = self.log  # type: ignore[assignment]  # structlog's, with logging.Logger's methods
        async with open_ledger() as ledger:
            async for one in retention_round(ledger, settings(), now(), log):
                done.append(one)
                if one.count:
                    more = "; more is due, the next run goes on" if one.more else ""
                    whose = one.tenant or "the platform"
                    self.log.info(
                        "%s: %s %s (%s bytes) older than %s days removed%s",
                        whose, one.count, one.kind, one.bytes, one.days, more,
                    )  # fmt: skip
        return done
