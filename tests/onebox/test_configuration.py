"""What the services are told: loopback everywhere, no secret where others can read it, one place for each setting."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from mysimbdp.connections import AIRFLOW, COREDMS, connection
from mysimbdp.coredms.bulk.target import BulkTarget
from mysimbdp.onebox import airflow, cassandra, environment, postgres, secrets
from mysimbdp.onebox.options import Options
from mysimbdp.onebox.ports import Ports
from mysimbdp.onebox.process import Service
from mysimbdp.settings import Settings

PORTS = Ports.at(300)


@pytest.fixture
def known(tmp_path: Path) -> secrets.Secrets:
    return secrets.load_or_make(tmp_path)


@pytest.fixture
def variables(tmp_path: Path, known: secrets.Secrets) -> dict[str, str]:
    return environment.variables(Settings(home=tmp_path, port_offset=300), Options(parallelism=7), known)


@pytest.fixture
def services(tmp_path: Path, variables: dict[str, str], known: secrets.Secrets) -> list[Service]:
    jars = [tmp_path / "jamm-0.4.0.jar", tmp_path / "cassandra-all.jar"]
    node = cassandra.service(tmp_path, PORTS, "640M", jars, known.cassandra_jmx)
    return [node, *airflow.services(tmp_path, variables, PORTS)]


def test_no_secret_is_ever_in_an_argument(services: list[Service], known: secrets.Secrets) -> None:
    words = " ".join(word for service in services for word in service.argv)
    assert not [value for value in known.model_dump().values() if value in words]


def test_airflow_is_told_to_listen_on_loopback_and_to_serve_no_logs(
    services: list[Service], variables: dict[str, str]
) -> None:
    argv = {service.name: service.argv for service in services}
    assert "--host 127.0.0.1 --port 8380" in " ".join(argv[airflow.API])
    assert "--skip-serve-logs" in argv["airflow-scheduler"]
    assert "--skip-serve-logs" in argv["airflow-triggerer"]
    assert variables["AIRFLOW__API__HOST"] == "127.0.0.1"


def test_cassandra_listens_on_loopback_with_authentication_on(tmp_path: Path) -> None:
    node = cassandra.settings_of_node(tmp_path, PORTS)
    assert (node["listen_address"], node["rpc_address"]) == ("127.0.0.1", "127.0.0.1")
    assert (node["storage_port"], node["native_transport_port"]) == (7300, 9342)
    assert node["authenticator"] == "PasswordAuthenticator"
    assert node["authorizer"] == "CassandraAuthorizer"
    assert node["role_manager"] == "CassandraRoleManager"


def test_cassandra_gets_the_heap_it_is_given_and_none_of_airflows_secrets(services: list[Service]) -> None:
    node = services[0]
    assert "-Xmx640M" in node.argv
    assert not [key for key in node.env if key.startswith(("AIRFLOW", "MYSIMBDP"))]


def test_cassandras_jmx_is_for_loopback_and_who_has_the_password(
    services: list[Service], tmp_path: Path, known: secrets.Secrets
) -> None:
    node = services[0].argv
    assert "-Dcassandra.jmx.local.port=7499" in node
    assert "-Dcom.sun.management.jmxremote.authenticate=true" in node
    assert not [word for word in node if "jmx.remote.port" in word or "jmxremote.port" in word]
    for name, content in (("password", f"mysimbdp {known.cassandra_jmx}\n"), ("access", "mysimbdp readwrite\n")):
        path = tmp_path / "cassandra" / "conf" / f"jmx.{name}"
        assert f"-Dcom.sun.management.jmxremote.{name}.file={path}" in node
        assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (content, 0o600)


def test_the_bulk_route_is_told_what_the_node_was_told(
    variables: dict[str, str], known: secrets.Secrets, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_MYSIMBDP_COREDMS", variables["AIRFLOW_CONN_MYSIMBDP_COREDMS"])
    found = BulkTarget.of(connection(COREDMS))
    assert found is not None
    assert (found.host, found.port, found.login) == ("127.0.0.1", 7499, "mysimbdp")
    assert found.password == known.cassandra_jmx
    assert found.password not in repr(found)
    assert found.folder == cassandra.import_folder(tmp_path)
    assert not found.within_reach(), "the node was never started here"


@pytest.mark.parametrize("heap", ["", "512", "-Xmx1G", "1T", "0M", "512M; id"])
def test_a_heap_the_jvm_would_not_understand_is_refused(heap: str) -> None:
    with pytest.raises(ValidationError):
        Options(cassandra_heap=heap)


def test_options_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYSIMBDP_PARALLELISM", "9")
    monkeypatch.setenv("MYSIMBDP_CASSANDRA_HEAP", "2G")
    assert (Options().parallelism, Options().cassandra_heap) == (9, "2G")


def test_the_connections_are_those_the_services_answer_to(
    variables: dict[str, str], known: secrets.Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in variables.items():
        monkeypatch.setenv(key, value)
    coredms, rest = connection(COREDMS), connection(AIRFLOW)
    assert (coredms.host, coredms.port, coredms.login) == ("127.0.0.1", 9342, "mysimbdp")
    assert coredms.password == known.cassandra_platform
    assert (rest.host, rest.port, rest.login) == ("127.0.0.1", 8380, "admin")
    assert rest.password == known.airflow_admin
    assert json.loads(variables["AIRFLOW_CONN_MYSIMBDP_COREDMS"])["conn_type"] == "cassandra"


def test_changed_dags_are_seen_within_half_a_minute(variables: dict[str, str]) -> None:
    seconds = (
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL",
        "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL",
    )
    assert sum(float(variables[key]) for key in seconds) < 30


def test_everything_lives_below_the_home_folder(variables: dict[str, str], tmp_path: Path) -> None:
    for key in (
        "AIRFLOW_HOME",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",
    ):
        assert Path(variables[key]).is_relative_to(tmp_path)


def test_a_service_configured_differently_has_another_fingerprint_that_gives_no_secret_away(tmp_path: Path) -> None:
    one = Service("s", ("run",), tmp_path / "log", {"PASSWORD": "hunter2"})
    other = Service("s", ("run",), tmp_path / "log", {"PASSWORD": "other"})
    assert one.fingerprint != other.fingerprint
    assert one.fingerprint == Service("s", ("run",), tmp_path / "elsewhere", {"PASSWORD": "hunter2"}).fingerprint
    assert "hunter2" not in repr(one) + one.fingerprint


@pytest.mark.parametrize(("depth", "beside"), [(1, True), (60, False)], ids=["short home", "home too long"])
def test_the_socket_goes_where_its_path_is_short_enough(depth: int, beside: bool) -> None:
    home = Path("/", *["ab"] * depth)
    folder = postgres.socket_folder(home)
    assert (folder.parent.parent == home) is beside
    assert len(str(folder / ".s.PGSQL.5432")) <= 107
