"""Three nodes on 127.0.0.1, .2 and .3, replicating everything three times."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cassandra.cluster import NoHostAvailable
from ruamel.yaml import YAML
from tests.conftest import HOME, OFFSET

from mysimbdp.connections import COREDMS
from mysimbdp.coredms.hook import hook_session
from mysimbdp.coredms.schema import apply_ledger
from mysimbdp.ledger.schema import LEDGER_KEYSPACE, LEDGER_TABLES
from mysimbdp.onebox import cassandra, jars, process, roles, secrets
from mysimbdp.onebox.options import JAR_CACHE
from mysimbdp.onebox.ports import Ports

PORTS = Ports.at(OFFSET + 500)
HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
START_SECONDS = 150.0


@dataclass(frozen=True)
class Node:
    """One node of the cluster; `home` is its own."""

    home: Path
    host: str
    service: process.Service

    @classmethod
    def at(cls, folder: Path, host: str) -> Node:
        home = folder / host
        home.mkdir(parents=True)
        service = cassandra.service(home, PORTS, "512M", jars.class_path(JAR_CACHE))
        _configure(home / "cassandra" / "conf" / "cassandra.yaml", host)
        return cls(home, host, replace(service, argv=tuple(_argv(service.argv, first=host == HOSTS[0]))))

    def start(self) -> None:
        process.start(self.service, self.home)

    def kill(self) -> None:
        process.stop(cassandra.NAME, self.home, how=signal.SIGKILL, patience=20)


def _configure(path: Path, host: str) -> None:
    yaml = YAML()
    facts = yaml.load(path)
    facts |= {"listen_address": host, "rpc_address": host, "num_tokens": 4}
    facts["seed_provider"][0]["parameters"][0]["seeds"] = f"{HOSTS[0]}:{PORTS.cassandra_storage}"
    yaml.dump(facts, path)


def _argv(argv: tuple[str, ...], *, first: bool) -> Iterator[str]:
    """A node that joins others waits for gossip and takes tokens of its own."""
    for word in argv:
        if word.startswith("-Dcassandra.initial_token"):
            continue
        if word.startswith("-Dcassandra.ring_delay_ms"):
            yield "-Dcassandra.ring_delay_ms=6000"
        elif first or not word.startswith("-Dcassandra.skip_wait_for_gossip_to_settle"):
            yield word


@pytest.fixture(scope="session")
def cluster() -> Iterator[list[Node]]:
    """The nodes, all up; the connection mysimbdp_coredms leads to them while they are."""
    folder = HOME / "cluster"
    shutil.rmtree(folder, ignore_errors=True)
    known = secrets.load_or_make(HOME)
    nodes = [Node.at(folder, host) for host in HOSTS]
    before = os.environ[f"AIRFLOW_CONN_{COREDMS.upper()}"]
    os.environ[f"AIRFLOW_CONN_{COREDMS.upper()}"] = json.dumps(
        {
            "conn_type": "cassandra", "host": ",".join(HOSTS), "port": PORTS.cassandra_native,
            "login": roles.PLATFORM_ROLE, "password": known.cassandra_platform, "extra": {"local_dc": "datacenter1"},
        }
    )  # fmt: skip
    try:
        for number, node in enumerate(nodes):
            node.start()
            _wait(known, node.host, peers=number)
        with roles._session(HOSTS[0], PORTS.cassandra_native, roles.SUPERUSER, known.cassandra_superuser) as session:
            everywhere = "{'class': 'NetworkTopologyStrategy', 'datacenter1': 3}"
            session.execute(f"ALTER KEYSPACE system_auth WITH replication = {everywhere}")
            for table in ("roles", "role_permissions"):  # without a repair only what is read at ALL is everywhere
                list(session.execute(f"SELECT * FROM system_auth.{table}"))
        apply_ledger(LEDGER_KEYSPACE, LEDGER_TABLES)
        yield nodes
    finally:
        os.environ[f"AIRFLOW_CONN_{COREDMS.upper()}"] = before
        for node in nodes:
            process.stop(cassandra.NAME, node.home, how=signal.SIGKILL, patience=20)


@pytest.fixture(scope="session")
def reader(cluster: list[Node]) -> Iterator[Any]:
    """A cassandra-driver session to the cluster."""
    with hook_session() as session:
        yield session


def _wait(known: secrets.Secrets, host: str, *, peers: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while (why := _why_not(known, host, peers)) is not None:
        assert time.monotonic() < deadline, f"{host}: {why}"
        time.sleep(1)


def _why_not(known: secrets.Secrets, host: str, peers: int) -> str | None:
    port = PORTS.cassandra_native
    try:
        why = roles.why_not_ready(port, known.cassandra_superuser, known.cassandra_platform, host=host)
        if why is not None:
            return why
        with roles._session(host, port, roles.PLATFORM_ROLE, known.cassandra_platform) as session:
            there = len(list(session.execute("SELECT peer FROM system.peers_v2")))
            return None if there == peers else f"it knows {there} of {peers} peers"
    except NoHostAvailable as error:
        return str(error)
