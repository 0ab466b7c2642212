"""The onebox as it really runs: who listens, who may log in, what a crash and a repeated `up` do."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import Cluster, NoHostAvailable, Session

from mysimbdp.connections import AIRFLOW, COREDMS, connection
from mysimbdp.errors import Code, Exit, TerminalError
from mysimbdp.onebox import process, secrets
from mysimbdp.onebox.onebox import READY, SERVICES, Onebox
from mysimbdp.onebox.options import Options
from mysimbdp.settings import Settings

pytestmark = [pytest.mark.onebox, pytest.mark.airflow]


def _pids(box: Onebox) -> dict[str, int]:
    return {name: found.pid for name in SERVICES if (found := process.running(name, box.home))}


def _session(box: Onebox, user: str, password: str) -> Session:
    login = PlainTextAuthProvider(user, password)
    return Cluster(["127.0.0.1"], port=box.ports.cassandra_native, auth_provider=login, protocol_version=5).connect()


def test_every_service_says_it_is_well(onebox: Onebox) -> None:
    assert {state.service: state.detail for state in onebox.status()} == dict.fromkeys(SERVICES, READY)


def test_every_listening_socket_is_loopback(onebox: Onebox) -> None:
    family = {member.pid for member in process.family(onebox.home)}
    sockets = [
        # A connectionless socket has an address to receive at too.
        (str(found.laddr[0]).removeprefix("::ffff:"), int(found.laddr[1]))
        for found in psutil.net_connections(kind="inet")
        if found.pid in family and len(found.laddr) == 2 and found.status in (psutil.CONN_LISTEN, psutil.CONN_NONE)
    ]
    assert {host for host, _port in sockets} == {"127.0.0.1"}
    ports = onebox.ports
    assert {port for _host, port in sockets} >= {
        ports.airflow,
        ports.cassandra_native,
        ports.cassandra_storage,
        ports.cassandra_jmx,
    }


def test_no_secret_is_in_the_process_list(onebox: Onebox) -> None:
    known = secrets.load_or_make(onebox.home).model_dump().values()
    lines = " ".join(word for member in process.family(onebox.home) for word in member.cmdline())
    assert not [value for value in known if value in lines]


def test_no_secret_is_in_a_log_and_no_file_with_one_is_readable_by_others(onebox: Onebox) -> None:
    known = [value.encode() for value in secrets.load_or_make(onebox.home).model_dump().values()]
    for path in onebox.home.rglob("*"):
        if not path.is_file() or "data" in path.relative_to(onebox.home).parts[:2]:
            continue
        if any(value in path.read_bytes() for value in known):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
            assert "logs" not in path.relative_to(onebox.home).parts, path


def test_airflow_lets_in_the_admin_with_the_password_made_for_it_alone(onebox: Onebox) -> None:
    found = connection(AIRFLOW)
    address = f"{found.schema}://{found.host}:{found.port}/auth/token"
    right = httpx.post(address, json={"username": found.login, "password": found.password})
    wrong = httpx.post(address, json={"username": found.login, "password": "admin"})
    assert (right.status_code, wrong.status_code) == (201, 401)
    anonymous = httpx.get(f"{found.schema}://{found.host}:{found.port}/api/v2/dags")
    assert anonymous.status_code == 401


def test_the_platforms_role_makes_keyspaces_and_roles_and_is_no_superuser(onebox: Onebox) -> None:
    found = connection(COREDMS)
    session = _session(onebox, found.login, found.password)
    try:
        replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
        session.execute(f"CREATE KEYSPACE IF NOT EXISTS onebox_live WITH replication = {replication}")
        session.execute("CREATE TABLE IF NOT EXISTS onebox_live.t (k int PRIMARY KEY, v text)")
        session.execute("INSERT INTO onebox_live.t (k, v) VALUES (1, 'one')")
        assert session.execute("SELECT v FROM onebox_live.t WHERE k = 1").one().v == "one"
        session.execute("CREATE ROLE IF NOT EXISTS onebox_live WITH LOGIN = true AND PASSWORD = 'x'")
        session.execute("GRANT MODIFY ON KEYSPACE onebox_live TO onebox_live")
        session.execute("DROP ROLE onebox_live")
        listed = session.execute("LIST ROLES OF mysimbdp").one()
        assert not listed.super
    finally:
        session.execute("DROP KEYSPACE IF EXISTS onebox_live")
        session.cluster.shutdown()


@pytest.mark.parametrize("login", [("cassandra", "cassandra"), ("mysimbdp", "mysimbdp"), ("mysimbdp", "")])
def test_a_stock_or_guessed_password_is_refused(onebox: Onebox, login: tuple[str, str]) -> None:
    with pytest.raises(NoHostAvailable):
        _session(onebox, *login)


def test_up_again_leaves_what_is_well_alone(onebox: Onebox) -> None:
    before = _pids(onebox)
    onebox.up()
    assert _pids(onebox) == before
    assert set(before) == set(SERVICES)


def test_a_crashed_service_is_noticed_and_up_brings_back_that_one_only(onebox: Onebox) -> None:
    before = _pids(onebox)
    os.kill(before["airflow-triggerer"], signal.SIGKILL)
    psutil.wait_procs([psutil.Process(before["airflow-triggerer"])], timeout=5)
    assert {state.service for state in onebox.status() if not state.well} == {"airflow-triggerer"}
    onebox.up()
    after = _pids(onebox)
    assert {name for name in SERVICES if after[name] != before[name]} == {"airflow-triggerer"}
    assert all(state.well for state in onebox.status())


def test_a_second_onebox_on_the_same_ports_is_told_who_holds_them(onebox: Onebox, tmp_path: Path) -> None:
    offset = onebox.ports.airflow - 8080
    second = Onebox(Settings(home=tmp_path / "second", port_offset=offset), Options())
    try:
        with pytest.raises(TerminalError) as caught:
            second.up(only_coredms=True)
        assert caught.value.problem.code is Code.PORT_IN_USE
        assert f"pid {_pids(onebox)['cassandra']} (java)" in caught.value.problem.what
    finally:
        second.down()


@pytest.mark.parametrize("as_json", [False, True], ids=["table", "json"])
def test_the_command_tells_the_same(onebox: Onebox, as_json: bool) -> None:
    done = _mysimbdp("status", *(["--json"] if as_json else []))
    assert done.returncode == Exit.OK, done.stderr
    if as_json:
        assert {row["service"]: row["well"] for row in json.loads(done.stdout)} == dict.fromkeys(SERVICES, True)
    else:
        assert all(name in done.stdout for name in SERVICES)


def test_down_leaves_no_process_and_up_finds_the_data_again(onebox: Onebox) -> None:
    members = process.family(onebox.home)
    backends = [member for member in members if member.name().startswith("postgres")]
    assert len(backends) > 1, "PostgreSQL's backends belong to the family though their environment is gone"
    try:
        for record in (onebox.home / "run").glob("*.json"):
            record.unlink()  # also when what was recorded is lost
        onebox.down()
        assert not [member for member in members if member.is_running() and member.status() != psutil.STATUS_ZOMBIE]
        assert process.family(onebox.home) == []
        assert _mysimbdp("status").returncode == Exit.NOT_WELL
    finally:
        onebox.up()
    assert all(state.well for state in onebox.status())


def _mysimbdp(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from mysimbdp.cli.app import main; main()", *words],
        check=False,
        capture_output=True,
        text=True,
    )
