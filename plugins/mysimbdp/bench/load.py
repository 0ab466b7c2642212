"""One file through every loader: on the same node, into tables of one shape, each count read back."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mysimbdp.bench import family
from mysimbdp.bench.deployment import deployment, use
from mysimbdp.bench.node import Node
from mysimbdp.bench.shapes import SHAPES, TABLE, Shape
from mysimbdp.bench.tenants import machine, write_tenant
from mysimbdp.bench.writers import ours
from mysimbdp.bench.writers.catalogue import WRITERS, Writer
from mysimbdp.bench.writers.job import Job
from mysimbdp.bench.writers.timing import told
from mysimbdp.connections import COREDMS, connection
from mysimbdp.coredms.hook import hook_session
from mysimbdp.coredms.schema import apply_tenant
from mysimbdp.landing.layout import Landing
from mysimbdp.settings import settings
from mysimbdp.tenants.model import Tenant
from mysimbdp.tenants.store import load_tenant

WARM_UP_ROWS = 100_000
WRITER_LIMIT_SECONDS = 3600.0
LAST_WORDS = 400
_PACKAGES = ("acsylla", "cassandra-driver", "cqlsh", "pyarrow")

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is compared: names of SHAPES and WRITERS, rows asked for, and how often all of it is done."""

    shapes: Sequence[str]
    writers: Sequence[str]
    rows: int
    rounds: int = 1
    dsbulk_jars: Path | None = None
    warm_up_rows: int = WARM_UP_ROWS


@dataclass(frozen=True, slots=True)
class Load:
    """One load. A writer that failed or left rows out has a `failure` and no rate.

    `seconds` is the whole program's time, but for Python peers and the bare loader that of loading alone; CPU is in
    microseconds a row, the server's until it is at rest again, its compactions included; MB are 10**6 bytes. `stages`
    are the seconds that `ingest` itself tells.
    """

    shape: str
    writer: str
    round: int
    rows: int
    file_bytes: int
    seconds: float
    rows_per_second: float | None
    mb_per_second: float | None
    client_cpu_us_per_row: float | None
    server_cpu_us_per_row: float | None
    peak_rss_mb: float
    rows_found: int
    failure: str | None
    stages: dict[str, float]


def measure(plan: Plan, *, home: Path, tell: Tell) -> dict[str, Any]:
    """Measure `plan` on a node of its own below `home`; it is stopped at the end.

    Raises:
        TerminalError, TransientError: the node does not start, or is gone.
    """
    onebox = deployment(home, "tenants-load")
    tell("starting Cassandra")
    onebox.up(only_coredms=True)
    try:
        use(onebox)
        return compare(plan, tell=tell)
    finally:
        onebox.down()


def compare(plan: Plan, *, tell: Tell) -> dict[str, Any]:
    """Measure `plan` on the node that this process is set to. Interrupted, it gives what it has until then.

    Everything made for it is removed, but for the folder of a writer that failed: its logs are there.
    """
    folder = settings().home / "bench"
    shutil.rmtree(folder, ignore_errors=True)
    interrupted = False
    with hook_session() as session:
        bench = _Bench(plan, folder, Node(settings().home, session), tell)
        try:
            for name in plan.shapes:
                bench.shape(SHAPES[name])
        except KeyboardInterrupt:
            interrupted = True  # an hour's figures are not thrown away
        finally:
            for file in folder.glob("*.csv"):
                file.unlink()
        versions = {"cassandra": bench.node.release()}
    versions |= {package: importlib.metadata.version(package) for package in _PACKAGES}
    if plan.dsbulk_jars is not None:
        versions["dsbulk"] = _dsbulk_version(plan.dsbulk_jars)
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": versions,
        "cassandra_heap": os.environ.get("MYSIMBDP_CASSANDRA_HEAP", ""),
        "rows": plan.rows,
        "rounds": plan.rounds,
        "interrupted": interrupted,
        "loads": [asdict(load) for load in bench.loads],
    }


class _Bench:
    """The steps of a comparison, one shape after the other."""

    def __init__(self, plan: Plan, folder: Path, node: Node, tell: Tell) -> None:
        self._plan = plan
        self._folder = folder
        self.node = node
        self.loads: list[Load] = []
        self._tell = tell
        self._tenants = 0
        self._stamp = f"{int(time.time()):x}"

    def shape(self, shape: Shape) -> None:
        """Load the shape's file through every writer, round by round, each round begun by another writer."""
        self._folder.mkdir(parents=True, exist_ok=True)
        rows = shape.rows(self._plan.rows)
        file = self._folder / f"{shape.name}.csv"
        self._tell(f"{shape.name}: writing {rows:,} rows")
        shape.write(file, rows)
        writers = [WRITERS[name] for name in self._plan.writers]
        if self._plan.warm_up_rows:
            # A JVM just started runs its code uncompiled: whoever came first would pay for it.
            self._warm_up(shape)
        for number in range(self._plan.rounds):
            turn = number % len(writers)
            for writer in [*writers[turn:], *writers[:turn]]:
                load = self._one(shape, file, rows, writer, number + 1)
                self.loads.append(load)
                said = load.failure or f"{load.rows_per_second:,.0f} rows/s"
                self._tell(f"{shape.name}, round {number + 1}: {writer.name}: {said}")
        file.unlink()

    def _warm_up(self, shape: Shape) -> None:
        self._tell(f"{shape.name}: warming up")
        file = self._folder / "warm-up.csv"
        rows = shape.rows(min(self._plan.warm_up_rows, self._plan.rows))
        shape.write(file, rows)
        for name in ("loader", "concurrent"):
            self._one(shape, file, rows, replace(WRITERS[name], cap=rows // 4), 0)
        file.unlink()

    def _one(self, shape: Shape, file: Path, rows: int, writer: Writer, number: int) -> Load:
        tenant = self._make_tenant(shape)
        folder = self._folder / tenant.tenant
        expected = min(rows, writer.cap or rows)
        job = Job(
            shape, file, expected, tenant.tenant, tenant.keyspace, folder, connection(COREDMS), self._plan.dsbulk_jars
        )
        try:
            self.node.come_to_rest(looks=1)
            server_before = self.node.cpu_seconds()
            cost = family.run(
                writer.command(job),
                {**os.environ, **writer.env, "HOME": str(folder)},
                folder,
                limit_seconds=WRITER_LIMIT_SECONDS,
            )
            self.node.come_to_rest(looks=2)
            server = self.node.cpu_seconds() - server_before
            found, filled = self.node.count(tenant.keyspace, shape)
            own = told(folder / "stdout") or {"seconds": cost.seconds, "cpu_seconds": cost.cpu_seconds}
            stages = ours.stages(folder / "stdout")
            failure = _failure(cost, folder, expected, found, filled)
            if failure is None:
                shutil.rmtree(folder)
        finally:
            self._remove(tenant)
        seconds = own["seconds"]
        size = file.stat().st_size
        return Load(
            shape=shape.name,
            writer=writer.name,
            round=number,
            rows=expected,
            file_bytes=size,
            seconds=round(seconds, 3),
            rows_per_second=None if failure else round(expected / seconds, 1),
            mb_per_second=None if failure else round(size * expected / rows / seconds / 1e6, 2),
            client_cpu_us_per_row=None if failure else round(1e6 * own["cpu_seconds"] / expected, 2),
            server_cpu_us_per_row=None if failure else round(1e6 * server / expected, 2),
            peak_rss_mb=round(cost.peak_rss_bytes / 1e6, 1),
            rows_found=found,
            failure=failure,
            stages=stages,
        )

    def _make_tenant(self, shape: Shape) -> Tenant:
        """A tenant nobody has had before: its table is empty, and no file is a duplicate to the ledger."""
        self._tenants += 1
        name = f"bench_{self._stamp}_{self._tenants}"
        write_tenant(settings().tenants_dir, name, {TABLE: shape.table})
        tenant = load_tenant(settings().tenants_dir, name)
        apply_tenant(tenant)
        return tenant

    def _remove(self, tenant: Tenant) -> None:
        self.node.drop(tenant.tenant, tenant.keyspace)
        landing = Landing(settings(), tenant.tenant)
        own = (landing.inbox.parent, landing.staging_root, landing.archive_root)
        for place in (settings().tenants_dir / tenant.tenant, *own):
            shutil.rmtree(place, ignore_errors=True)


def _failure(cost: family.Cost, folder: Path, expected: int, found: int, filled: int) -> str | None:
    """Why the load does not count."""
    if cost.exit_code is None:
        return f"not done after {WRITER_LIMIT_SECONDS:.0f} s (its files: {folder})"
    if found != expected or filled != expected:
        what = f"{found} rows are in the table, {filled} of them whole; {expected} were to be"
    elif cost.exit_code != 0:
        what = "all rows are in the table"
    else:
        return None
    words = " ".join((folder / "stderr").read_text(errors="replace").split()) or "no word"
    return f"{what}; exit code {cost.exit_code}: {words[-LAST_WORDS:]} (its files: {folder})"


def _dsbulk_version(jars: Path) -> str:
    names = [jar.stem for jar in jars.glob("dsbulk-runner-*.jar")]
    return names[0].removeprefix("dsbulk-runner-") if names else "unknown"
