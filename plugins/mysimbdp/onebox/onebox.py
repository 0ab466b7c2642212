"""Bring the whole one-machine deployment up, take it down, and tell how it is."""

from __future__ import annotations

import contextlib
import fcntl
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from mysimbdp.onebox import (
    airflow,
    cassandra,
    envfile,
    environment,
    health,
    jars,
    ledger_tables,
    ports,
    postgres,
    process,
    roles,
    secrets,
)
from mysimbdp.onebox.options import JAR_CACHE, Options
from mysimbdp.settings import Settings, settings

Tell = Callable[[str, str], None]
"""Hears (service, what it is doing now); the last word about a service that came up is READY."""

READY = "ready"
STOPPED = "stopped"
SERVICES = (cassandra.NAME, postgres.NAME, *airflow.COMPONENTS)
_STOPPING: dict[str, tuple[signal.Signals, float]] = {
    # PostgreSQL's "fast" shutdown ends its sessions; its SIGTERM would wait for them.
    postgres.NAME: (signal.SIGINT, 20.0),
    cassandra.NAME: (signal.SIGTERM, 30.0),
    # Its runner does not listen to it; the family is asked after this.
    "airflow-triggerer": (signal.SIGTERM, 2.0),
}
"""How each service is asked to end, and for how many seconds; ten seconds of SIGTERM for the rest."""


@dataclass(frozen=True, slots=True)
class State:
    """How one service is. `since` is in seconds since 1970, `memory` the family's resident bytes."""

    service: str
    well: bool
    detail: str
    pid: int | None
    address: str
    since: float | None
    memory: int


class Onebox:
    """The one-machine deployment in one home folder. Several can live side by side with different port offsets."""

    def __init__(self, where: Settings | None = None, options: Options | None = None) -> None:
        self._settings = where or settings()
        self._options = options or Options()
        self.home: Path = self._settings.home.resolve()
        self.ports = ports.Ports.at(self._settings.port_offset)

    @property
    def env_file(self) -> Path:
        """Where the environment of this onebox is written: KEY='value' lines, mode 0600."""
        return self.home / "env"

    def up(self, tell: Tell = lambda _service, _word: None, *, only_coredms: bool = False) -> None:
        """Start what is not running, restart what is configured differently now, wait until all is well.

        Raises:
            TerminalError: SERVICE_NOT_STARTED or PORT_IN_USE.
        """
        with self._alone():
            known = self._prepare()
            if only_coredms:
                self._up_cassandra(tell, known)
                return
            # Two cores, two chains that hardly depend on each other.
            with ThreadPoolExecutor(2) as pool:
                chains = [pool.submit(chain, tell, known) for chain in (self._up_cassandra, self._up_airflow)]
            for chain in chains:
                chain.result()

    def down(self, tell: Tell = lambda _service, _word: None) -> None:
        """Stop everything and everybody of this onebox; safe to repeat, and after lost or half-written run files."""
        if not self.home.exists():
            return
        with self._alone():
            with ThreadPoolExecutor(len(airflow.COMPONENTS)) as pool:
                # All of Airflow at once, then what it stands on.
                list(pool.map(lambda name: self._stop(name, tell), airflow.COMPONENTS))
                list(pool.map(lambda name: self._stop(name, tell), (postgres.NAME, cassandra.NAME)))
            process.stop(None, self.home, patience=2)

    def status(self) -> list[State]:
        """How each service is, by asking it."""
        known = secrets.load_or_make(self.home) if (self.home / "secrets.json").exists() else None
        with ThreadPoolExecutor(len(SERVICES)) as pool:
            return list(pool.map(lambda name: self._state(name, known), SERVICES))

    def variables(self) -> dict[str, str]:
        """The environment of this onebox, as it is written to the environment file."""
        folders = ("home", "tenants_dir", "client_apps_dir", "dags_dir")
        absolute = {name: getattr(self._settings, name).resolve() for name in folders}
        where = self._settings.model_copy(update=absolute)
        return environment.variables(where, self._options, secrets.load_or_make(self.home))

    def password(self) -> str:
        """Airflow's login password, for the one who started it."""
        return secrets.load_or_make(self.home).airflow_admin

    def _prepare(self) -> secrets.Secrets:
        for folder in ("landing", "staging", "archive", "logs", "run", "client"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        known = secrets.load_or_make(self.home)
        airflow.prepare(self.home, known)
        envfile.write(self.env_file, self.variables())
        return known

    def _up_cassandra(self, tell: Tell, known: secrets.Secrets) -> None:
        name = cassandra.NAME
        tell(name, "fetching its jars")
        service = cassandra.service(
            self.home, self.ports, self._options.cassandra_heap, jars.class_path(JAR_CACHE), known.cassandra_jmx
        )
        node = self.ports
        wanted = dict.fromkeys((node.cassandra_native, node.cassandra_storage, node.cassandra_jmx), name)
        self._start(service, tell, wanted)
        self._wait(service, self._probe(name, known), tell, seconds=180)
        tell(name, "making the ledger's tables")
        ledger_tables.apply_once(self.home, self.variables())
        tell(name, READY)

    def _up_airflow(self, tell: Tell, known: secrets.Secrets) -> None:
        tell(postgres.NAME, "making its folder")
        database = postgres.service(self.home, known.postgres)
        self._start(database, tell, {})
        self._wait(database, self._probe(postgres.NAME, known), tell, seconds=60)
        variables = self.variables()
        tell(airflow.API, "migrating the database")
        airflow.migrate(self.home, variables)
        components = airflow.services(self.home, variables, self.ports)
        wanted = {airflow.API: {self.ports.airflow: airflow.API}}
        with ThreadPoolExecutor(len(components)) as pool:
            # At once: where all are configured anew, their old ones end together, not one after the other.
            list(pool.map(lambda service: self._start(service, tell, wanted.get(service.name, {})), components))
        for service in components:
            self._wait(service, self._probe(service.name, known), tell, seconds=180)

    def _start(self, service: process.Service, tell: Tell, wanted_ports: dict[int, str]) -> None:
        now = process.running(service.name, self.home)
        if now is not None and now.fingerprint == service.fingerprint:
            return
        # Also when nothing seems to run: a part of a family whose head died would be in the way.
        tell(service.name, "stopping the old one" if now else "starting")
        how, patience = _STOPPING.get(service.name, (signal.SIGTERM, 10.0))
        process.stop(service.name, self.home, how=how, patience=patience)
        for port, wanted_by in wanted_ports.items():
            ports.require_free(port, wanted_by)
        tell(service.name, "starting")
        process.start(service, self.home)

    def _wait(self, service: process.Service, probe: health.Probe, tell: Tell, seconds: float) -> None:
        health.wait_until_well(
            service.name,
            probe,
            home=self.home,
            log=service.log,
            seconds=seconds,
            tell=lambda reason: tell(service.name, reason),
        )
        tell(service.name, READY)

    def _probe(self, name: str, known: secrets.Secrets) -> health.Probe:
        if name == cassandra.NAME:
            return lambda: roles.why_not_ready(
                self.ports.cassandra_native, known.cassandra_superuser, known.cassandra_platform
            )
        if name == postgres.NAME:
            return lambda: postgres.why_not_ready(self.home, known.postgres)
        return lambda: airflow.why_not_ready(name, self.home, self.ports)

    def _stop(self, name: str, tell: Tell) -> None:
        if process.family(self.home, name):
            tell(name, "stopping")
        how, patience = _STOPPING.get(name, (signal.SIGTERM, 10.0))
        killed = process.stop(name, self.home, how=how, patience=patience)
        tell(name, f"{STOPPED} ({killed} processes had to be killed)" if killed else STOPPED)

    def _state(self, name: str, known: secrets.Secrets | None) -> State:
        now = process.running(name, self.home)
        if now is None or known is None:
            return State(name, False, "not running", None, self._address(name), None, 0)
        reason = self._probe(name, known)()
        memory = 0
        for member in process.family(self.home, name):
            with contextlib.suppress(psutil.NoSuchProcess):
                memory += member.memory_info().rss
        return State(name, reason is None, reason or READY, now.pid, self._address(name), now.create_time, memory)

    def _address(self, name: str) -> str:
        return {
            cassandra.NAME: f"{ports.HOST}:{self.ports.cassandra_native}",
            postgres.NAME: str(postgres.socket_folder(self.home)),
            airflow.API: f"http://{ports.HOST}:{self.ports.airflow}",
        }.get(name, "")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Two `up` or `down` of the same onebox wait for each other."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
