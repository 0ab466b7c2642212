"""docker-compose.yaml cannot be run here, so everything it names is checked against what there is."""

from __future__ import annotations

import json
import os
import re
import runpy
import shlex
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from mysimbdp.settings import REPOSITORY

COMPOSE = REPOSITORY / "docker-compose.yaml"
DEPLOY = REPOSITORY / "deploy"
DOCKERFILES = sorted(DEPLOY.rglob("Dockerfile"))
TEXT = COMPOSE.read_text()
FILE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
MAKE_ENV = runpy.run_path(str(DEPLOY / "make_env.py"))
PINNED = re.compile(r"[a-z0-9./-]+:[a-z0-9-]*\d+\.\d+\.\d+[\w.-]*|postgres:\d+\.\d+|[^@]+@sha256:[0-9a-f]{64}")

each_service = pytest.mark.parametrize("name", SERVICES)


def base_images() -> Iterator[str]:
    for dockerfile in DOCKERFILES:
        for line in dockerfile.read_text().splitlines():
            if line.startswith("FROM "):
                yield line.split()[1]


@pytest.mark.parametrize("image", [*(service["image"] for service in SERVICES.values()), *base_images()])
def test_every_image_is_pinned_to_a_release(image: str) -> None:
    assert PINNED.fullmatch(image), image


def test_airflow_is_the_release_of_the_lock_file() -> None:
    [locked] = re.findall(r"^apache-airflow==([\d.]+)", (REPOSITORY / "requirements.txt").read_text(), re.MULTILINE)
    assert any(f"airflow:slim-{locked}-python3.11" in image for image in base_images())


def test_cassandra_is_the_release_that_runs_on_one_machine() -> None:
    [tag] = [image.split(":")[1] for image in base_images() if image.startswith("cassandra:")]
    jars = (REPOSITORY / "plugins" / "mysimbdp" / "onebox" / "cassandra_jars.json").read_text()
    assert f"cassandra-all-{tag}.jar" in jars or f"cassandra-all:{tag}" in jars or f'"{tag}"' in jars


@each_service
def test_nothing_runs_as_root_or_with_more_rights(name: str) -> None:
    service = SERVICES[name]
    assert str(service["user"]).split(":")[0] not in {"", "0", "root"}
    assert not service.get("privileged", False)
    assert service["cap_drop"] == ["ALL"]
    assert not service.get("cap_add")
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "/var/run/docker.sock" not in str(service)
    assert service.get("network_mode") != "host"


@each_service
def test_ports_are_published_on_loopback_only(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\$\{MYSIMBDP_\w+:-\d+\}:\d+", port), port


@each_service
def test_every_mount_has_a_source(name: str) -> None:
    for mount in SERVICES[name].get("volumes", []):
        source, _target, *mode = mount.split(":")
        if source.startswith("."):
            assert (REPOSITORY / source).is_dir(), mount
            assert mode == ["ro"], "the containers change nothing of the repository"
        else:
            assert source in FILE["volumes"], mount


@each_service
def test_every_build_has_its_files(name: str) -> None:
    build = SERVICES[name].get("build")
    if build:
        context = REPOSITORY / build["context"]
        assert (REPOSITORY / build.get("dockerfile", f"{build['context']}/Dockerfile")).is_file()
        assert context.is_dir()


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_everything_copied_into_an_image_is_there_and_not_ignored(dockerfile: Path) -> None:
    allowed = {line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in dockerfile.read_text().splitlines():
        if line.startswith("COPY "):
            sources = [word for word in line.split()[1:-1] if not word.startswith("--")]
            for source in sources:
                assert (REPOSITORY / source).is_file()
                assert source in allowed


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_an_image_ends_as_an_ordinary_user(dockerfile: Path) -> None:
    users = re.findall(r"^USER (\S+)", dockerfile.read_text(), re.MULTILINE)
    assert users[-1].split(":")[0] not in {"0", "root"}


def test_every_variable_is_written_by_make_env_and_none_in_vain() -> None:
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT))
    assert used == {*MAKE_ENV["VARIABLES"], *MAKE_ENV["SETTINGS"]}


def test_secrets_have_no_default_and_settings_have() -> None:
    for name in MAKE_ENV["VARIABLES"]:
        assert re.findall(rf"\$\{{{name}(?!:\?run make env\}})", TEXT) == []
    for name, value in MAKE_ENV["SETTINGS"].items():
        assert set(re.findall(rf"\$\{{{name}(.*?)\}}", TEXT)) == {f":-{value}"}


@each_service
def test_whatever_has_to_come_first_is_there_and_can_tell_when_it_is_ready(name: str) -> None:
    for other, wish in SERVICES[name].get("depends_on", {}).items():
        assert other in SERVICES
        if wish["condition"] == "service_healthy":
            assert SERVICES[other]["healthcheck"]["test"]
        else:
            assert wish["condition"] == "service_completed_successfully"
            assert SERVICES[other]["restart"] == "no"


def test_the_order_of_start_has_no_circle() -> None:
    started: list[str] = []
    while len(started) < len(SERVICES):
        ready = [
            name
            for name, service in SERVICES.items()
            if name not in started and set(service.get("depends_on", {})) <= set(started)
        ]
        assert ready, f"none of {set(SERVICES) - set(started)} can start"
        started += ready


@each_service
def test_what_stays_up_has_a_health_check(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "no" or service["healthcheck"]["test"]


@each_service
def test_every_command_exists(name: str) -> None:
    service = SERVICES[name]
    if not service["image"].startswith("mysimbdp-airflow"):
        return  # the images' own start scripts
    match service.get("entrypoint"):
        case None:
            airflow_command(service["command"])
        case ["mysimbdp", *words]:
            mysimbdp_command([word for word in [*words, *service.get("command", [])] if not word.startswith("-")])
        case ["/bin/bash", script]:
            assert (REPOSITORY / script.removeprefix("/opt/mysimbdp/")).is_file()
        case other:
            pytest.fail(f"unknown entrypoint {other}")


def airflow_command(words: list[str]) -> None:
    from airflow.cli.cli_config import core_commands  # noqa: PLC0415  # slow to import

    [found] = [command for command in core_commands if command.name == words[0]]
    flags = {flag for argument in getattr(found, "args", ()) for flag in argument.flags}
    assert flags.issuperset(word for word in words[1:] if word.startswith("--"))


def mysimbdp_command(words: list[str]) -> None:
    from mysimbdp.cli.app import build  # noqa: PLC0415  # typer is slow to import

    found: Any = get_command(build())
    for word in words:
        assert word in found.commands, f"mysimbdp has no {' '.join(words)}"
        found = found.commands[word]


@each_service
def test_every_program_a_health_check_runs_exists(name: str) -> None:
    check = SERVICES[name].get("healthcheck", {}).get("test", [])
    for word in check:
        if word.startswith("/opt/mysimbdp/"):
            assert (REPOSITORY / word.removeprefix("/opt/mysimbdp/")).is_file()


def test_every_airflow_setting_exists() -> None:
    import airflow.configuration  # noqa: PLC0415  # slow to import

    known = airflow.configuration.conf.configuration_description
    for variable in SERVICES["scheduler"]["environment"]:
        if variable.startswith("AIRFLOW__"):
            section, key = variable.removeprefix("AIRFLOW__").lower().split("__")
            assert key in known[section]["options"] or key == "simple_auth_manager_passwords_file", variable


def test_tasks_see_the_same_airflow_settings_as_on_one_machine() -> None:
    from mysimbdp.onebox import environment, options, secrets  # noqa: PLC0415
    from mysimbdp.settings import Settings  # noqa: PLC0415

    onebox = environment.variables(Settings(), options.Options(), secrets.Secrets())
    here = SERVICES["scheduler"]["environment"]
    own_to_one_machine = re.compile(
        "HOST|PORT|WORKERS|FOLDER|DIRECTORY|FILE$|SQL_ALCHEMY|URL|KEY|SECRET|PARALLELISM|PARSING_PROCESSES|PRINT_STATS|COLORED"
        "|HOSTNAME|USAGE_DATA_COLLECTION"  # the last: no setting of this Airflow
    )
    for variable, value in onebox.items():
        if variable.startswith("AIRFLOW__") and not own_to_one_machine.search(variable):
            assert here.get(variable) == value, variable


def test_connections_are_json_once_the_passwords_are_in() -> None:
    for variable in ("AIRFLOW_CONN_MYSIMBDP_COREDMS", "AIRFLOW_CONN_MYSIMBDP_AIRFLOW"):
        text = re.sub(r"\$\{\w+:\?run make env\}", MAKE_ENV["word"](), SERVICES["scheduler"]["environment"][variable])
        facts = json.loads(text)
        assert facts["host"] in SERVICES


def test_no_secret_is_in_the_file() -> None:
    for line in TEXT.splitlines():
        if re.search(r"(PASSWORD|SECRET|_KEY|_PASS)\w*:\s", line) and "PASSWORDS_FILE" not in line:
            assert "${" in line, line


def test_make_env_writes_a_private_file_and_keeps_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    os.umask(0o022)
    assert MAKE_ENV["main"]([str(path)]) == 0
    first = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert MAKE_ENV["main"]([str(path)]) == 0
    assert path.read_text() == first


def test_make_env_adds_what_an_older_file_lacks(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("POSTGRES_PASSWORD=mine")
    path.chmod(0o644)
    MAKE_ENV["main"]([str(path)])
    lines = path.read_text().splitlines()
    assert lines[0] == "POSTGRES_PASSWORD=mine"
    assert {line.split("=")[0] for line in lines} == {*MAKE_ENV["VARIABLES"], *MAKE_ENV["SETTINGS"]}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_generated_secrets_differ_and_need_no_quotes() -> None:
    lines = MAKE_ENV["complete"]("").splitlines()
    values = [line.split("=", 1)[1] for line in lines if line.split("=", 1)[0] in MAKE_ENV["VARIABLES"]]
    assert len(set(values)) == len(values)
    assert all(re.fullmatch(r"[\w=-]{24,}", value) for value in values)


def test_env_is_not_committed() -> None:
    assert ".env" in (REPOSITORY / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("script", ["airflow-init.sh"])
def test_shell_scripts_parse(script: str) -> None:
    subprocess.run(["bash", "-n", str(DEPLOY / script)], check=True)


def test_the_login_file_is_written_before_airflow_starts(tmp_path: Path) -> None:
    (tmp_path / "airflow").write_text('#!/bin/sh\necho "$@" >"$MYSIMBDP_HOME/called"\n')
    (tmp_path / "airflow").chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    env = {"PATH": path, "MYSIMBDP_HOME": str(home), "MYSIMBDP_AIRFLOW_PASSWORD": "a-b_c"}
    subprocess.run(["/bin/bash", str(DEPLOY / "airflow-init.sh")], check=True, env=env)
    passwords = home / "airflow" / "passwords.json"
    assert json.loads(passwords.read_text()) == {"admin": "a-b_c"}
    assert stat.S_IMODE(passwords.stat().st_mode) == 0o600
    assert (home / "called").read_text() == "db migrate\n"


@pytest.mark.parametrize(
    ("health", "well"),
    [
        ({"scheduler": {"status": "healthy"}}, True),
        ({"scheduler": {"status": "unhealthy"}}, False),
        ({"scheduler": {"status": None}}, False),
        ({"scheduler": None}, False),
        ({}, False),
    ],
)
def test_a_component_is_healthy_when_the_api_server_says_so(health: dict[str, Any], well: bool) -> None:
    assert runpy.run_path(str(DEPLOY / "component_health.py"))["is_healthy"](health, "scheduler") is well


STOCK_YAML = {
    "one line each": "authenticator: AllowAllAuthenticator\nauthorizer: AllowAllAuthorizer\n",
    "with class names": (
        "# - AllowAllAuthenticator performs no checks\n"
        "authenticator:\n  class_name : AllowAllAuthenticator\n"
        "authorizer:\n  class_name : AllowAllAuthorizer\n"
    ),
}


@pytest.mark.parametrize("case", STOCK_YAML)
def test_the_cassandra_image_turns_logins_on(tmp_path: Path, case: str) -> None:
    assert build_step(tmp_path, STOCK_YAML[case]) == 0
    words = yaml.safe_load((tmp_path / "cassandra.yaml").read_text())
    assert "PasswordAuthenticator" in str(words["authenticator"])
    assert "CassandraAuthorizer" in str(words["authorizer"])


def test_the_cassandra_image_is_not_built_without_logins(tmp_path: Path) -> None:
    assert build_step(tmp_path, "authenticator: SomethingNew\nauthorizer: AllowAllAuthorizer\n") != 0


def build_step(folder: Path, stock: str) -> int:
    """Run the RUN instruction of the Cassandra image on a file in `folder`."""
    (folder / "cassandra.yaml").write_text(stock)
    text = (DEPLOY / "cassandra" / "Dockerfile").read_text().replace("\\\n", " ")
    [command] = re.findall(r"^RUN (.*)$", text, re.MULTILINE)
    script = command.replace("/etc/cassandra/cassandra.yaml", shlex.quote(str(folder / "cassandra.yaml")))
    return subprocess.run(["/bin/sh", "-c", script], check=False).returncode


def test_docker_compose_itself_accepts_the_file_where_it_is_installed(tmp_path: Path) -> None:
    """Not a service but a second opinion: every check above is ours; this one needs the client's plugin."""
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        return
    MAKE_ENV["main"]([str(tmp_path / "env")])
    command = [docker, "compose", "--file", str(COMPOSE), "--env-file", str(tmp_path / "env"), "config", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
