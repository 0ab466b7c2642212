"""When a node that is alone has on disk what it acknowledged.

With `commitlog_sync: periodic`, Cassandra's default and the only fast one (decision 008), a node acknowledges a write
before its commit log is synced: killed, it forgets the last moments. Where rows have several replicas that loses
nothing. Of a lone node we ask here, before a step that cannot be taken back, that it lives on and has synced.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any

import acsylla

from mysimbdp.coredms.faults import fault_of
from mysimbdp.errors import Code, MysimbdpError, Problem, TransientError

BARRIER = "mysimbdp.barrier"
MARK_SECONDS = 0.1
"""A periodic node marks its log this often, whatever its sync period (Cassandra's AbstractCommitLogService): it is
how much of the log a kill of the process alone can cost."""
SYNC_LAG = 1.5
"""A periodic node makes writes wait once its last sync is so many periods old: `periodic_commitlog_sync_lag_block`."""
_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


@dataclass(frozen=True, slots=True)
class Life:
    """From one start of a lone node to its end. `generation` is None where nothing acknowledged can be forgotten."""

    generation: int | None
    lag_seconds: float = 0.0


async def life_of(session: Any) -> Life:
    """Which life of the node answers; what is written after this can be asked for with `until_durable`.

    Raises:
        TransientError: COREDMS_UNREACHABLE or COREDMS_OVERLOADED.
    """
    if await _first(session, "SELECT peer FROM system.peers_v2 LIMIT 1") is not None:
        return Life(None)
    sync = await _setting(session, "commitlog_sync", "periodic")
    if sync.lower() != "periodic":
        return Life(None)  # batch, group: acknowledged means synced
    period = _seconds(await _setting(session, "commitlog_sync_period", "10s"))
    return Life(await _generation(session), SYNC_LAG * min(period, MARK_SECONDS))


async def until_durable(session: Any, life: Life) -> None:
    """Return once all that was acknowledged in this `life` outlives a kill of the node.

    Where the node syncs at least every MARK_SECONDS (as the onebox does) it outlives a power cut, too: the write that
    ends the wait is only acknowledged after a sync that began later than all before it.

    Raises:
        TransientError: COREDMS_RESTARTED, the node was started anew since; or it is away.
    """
    if life.generation is None:
        return
    await asyncio.sleep(life.lag_seconds)
    await _first(session, f"INSERT INTO {BARRIER} (id, passed_at) VALUES (0, toTimestamp(now()))")
    if await _generation(session) != life.generation:
        what = "it was started anew and may have forgotten what it acknowledged last; the step is repeated"
        raise TransientError(Problem(Code.COREDMS_RESTARTED, what))


async def _generation(session: Any) -> int:
    return int((await _first(session, "SELECT gossip_generation FROM system.local"))["gossip_generation"])


async def _setting(session: Any, name: str, default: str) -> str:
    """A setting of the node; those who may not read it get Cassandra's default."""
    try:
        found = await _first(session, f"SELECT value FROM system_views.settings WHERE name = '{name}'")
    except MysimbdpError as fault:
        if isinstance(fault, TransientError):
            raise
        return default
    return str(found["value"]) if found is not None and found["value"] is not None else default


def _seconds(text: str) -> float:
    """`100ms`, `10s`, or bare milliseconds, as Cassandra writes durations."""
    match = re.fullmatch(r"(\d+)\s*([a-zµ]*)", text.strip().lower())
    return int(match[1]) * _UNITS.get(match[2] or "ms", 1.0) if match else MARK_SECONDS


async def _first(session: Any, cql: str) -> Any:
    try:
        return (await session.execute(acsylla.create_statement(cql))).first()
    except Exception as error:
        raise fault_of(error) from error
