"""The Cassandra node as a benchmark sees it: its CPU, whether it is at rest, the rows that are there."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import psutil

from mysimbdp.bench.shapes import TABLE, Shape
from mysimbdp.coredms.identifiers import quoted
from mysimbdp.errors import Code, Problem, TerminalError
from mysimbdp.onebox import cassandra, process

TOKEN_RANGES = 16
"""A table is counted in so many pieces, each well within the time a node gives one query."""
QUERY_SECONDS = 120.0
REST_CPU_SHARE = 0.2
REST_LIMIT_SECONDS = 180.0
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1


class Node:
    """The node of the onebox in `home`, through a session that must be the platform's."""

    def __init__(self, home: Path, session: Any) -> None:
        self._home = home
        self._session = session

    def cpu_seconds(self) -> float:
        """CPU of the node's JVM since it started.

        Raises:
            TerminalError: SERVICE_NOT_STARTED, it is not running (any more).
        """
        return sum(self._process().cpu_times()[:2])

    def come_to_rest(self, *, looks: int) -> None:
        """Wait until so many looks, one a second, see no compaction and an idle JVM; REST_LIMIT_SECONDS at most."""
        quiet = 0
        deadline = time.monotonic() + REST_LIMIT_SECONDS
        while quiet < looks and time.monotonic() < deadline:
            before = self.cpu_seconds()
            time.sleep(1)
            idle = self.cpu_seconds() - before < REST_CPU_SHARE
            compacting = self._session.execute("SELECT keyspace_name FROM system_views.sstable_tasks").one()
            quiet = quiet + 1 if idle and compacting is None else 0

    def count(self, keyspace: str, shape: Shape) -> tuple[int, int]:
        """Rows of the shape's table, and those among them that have a value in its last column."""
        target = f"{quoted(keyspace)}.{TABLE}"
        tokens = f"token({', '.join(map(quoted, shape.partition_key))})"
        last = quoted(list(shape.columns)[-1])
        query = f"SELECT count(*) AS n, count({last}) AS filled FROM {target} WHERE {tokens} > %s AND {tokens} <= %s"
        step = (_HIGHEST - _LOWEST) // TOKEN_RANGES
        edges = [_LOWEST + number * step for number in range(TOKEN_RANGES)] + [_HIGHEST]
        found = [self._session.execute(query, edge, timeout=QUERY_SECONDS).one() for edge in itertools.pairwise(edges)]
        return sum(row.n for row in found), sum(row.filled for row in found)

    def drop(self, tenant: str, keyspace: str) -> None:
        """Drop the tenant's keyspace without the snapshot that a node keeps of what is dropped."""
        self._session.execute(f"ALTER TABLE {quoted(keyspace)}.{TABLE} WITH allow_auto_snapshot = false")
        self._session.execute(f"DROP KEYSPACE {quoted(keyspace)}", timeout=QUERY_SECONDS)
        self._session.execute("DELETE FROM mysimbdp.schemas WHERE tenant = %s", (tenant,))

    def release(self) -> str:
        """Cassandra's version."""
        return str(self._session.execute("SELECT release_version FROM system.local").one().release_version)

    def _process(self) -> psutil.Process:
        running = process.running(cassandra.NAME, self._home)
        if running is None:
            raise TerminalError(Problem(Code.SERVICE_NOT_STARTED, f"the node in {self._home} is not running"))
        return psutil.Process(running.pid)
