"""Which tenants are switched off, and why: the operator's word, kept where every restart finds it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from mysimbdp.errors import Code, Problem, TransientError
from mysimbdp.ledger.files import now
from mysimbdp.ledger.schema import LEDGER_KEYSPACE
from mysimbdp.ledger.statements import Row, Statements

_SWITCHES = f"{LEDGER_KEYSPACE}.switches"
_ALL = f"SELECT * FROM {_SWITCHES}"
_FIND = f"SELECT * FROM {_SWITCHES} WHERE tenant = ?"
_SET = f"UPDATE {_SWITCHES} SET state = ?, reason = ?, since = ? WHERE tenant = ? IF state = ?"
_CLEAR = f"DELETE FROM {_SWITCHES} WHERE tenant = ? IF state = ?"
TRIES = 20


class Standing(StrEnum):
    """How far a tenant is switched off: disabled → removing → removed; a tenant without a switch is served."""

    DISABLED = "disabled"
    REMOVING = "removing"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Switch:
    """A tenant that is switched off since `since` (UTC)."""

    tenant: str
    state: Standing
    reason: str
    since: datetime

    @property
    def problem(self) -> Problem:
        """What whoever wants to take a file in is told."""
        because = f": {self.reason}" if self.reason else ""
        what = f"{self.tenant} is {self.state} since {self.since:%Y-%m-%d %H:%M} UTC{because}"
        return Problem(Code.TENANT_DISABLED, what)

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Build from a row of `switches`."""
        return cls(row["tenant"], Standing(row["state"]), row["reason"] or "", row["since"])


class Switches:
    """Reads and moves the switches. Every move is conditional, so that two operators cannot cross."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def all(self) -> dict[str, Switch]:
        """Every tenant that is switched off, by tenant."""
        rows = await self._statements.run(_ALL)
        return {row["tenant"]: Switch.from_row(row) for row in rows if row["state"] is not None}

    async def find(self, tenant: str) -> Switch | None:
        """The tenant's switch, or None when it is served."""
        rows = await self._statements.run(_FIND, tenant)
        return Switch.from_row(rows[0]) if rows and rows[0]["state"] is not None else None

    async def move(
        self, tenant: str, state: Standing | None, *, reason: str = "", allowed: Collection[Standing | None]
    ) -> Switch | None:
        """Bring the switch to `state` (None: served again) where it is one of `allowed` now; else leave it.

        Returns the switch as it is afterwards. A switch that is at `state` already keeps its time and reason.
        """
        for _ in range(TRIES):
            found = await self.find(tenant)
            current = found.state if found else None
            if current == state or current not in allowed:
                return found
            if state is None:
                await self._statements.applies(_CLEAR, tenant, current)
            else:
                await self._statements.applies(_SET, str(state), reason, now(), tenant, current)
        raise TransientError(Problem(Code.COREDMS_OVERLOADED, f"the switch of {tenant} is too busy"))
