"""`mysimbdp tenants` as its user meets it: output, JSON and exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mysimbdp.cli.app import build
from mysimbdp.cli.output import print_error
from mysimbdp.coredms.hook import hook_session
from mysimbdp.errors import Exit, MysimbdpError
from mysimbdp.onebox.onebox import Onebox
from mysimbdp.settings import settings


@dataclass(frozen=True)
class Answer:
    returncode: int
    stdout: str
    stderr: str


class Cli:
    """The command with a tenants folder of its own."""

    def __init__(self, tenants: Path) -> None:
        self.tenants = tenants

    def __call__(self, *arguments: str) -> Answer:
        done = CliRunner().invoke(build(), ["tenants", *arguments])
        if isinstance(done.exception, MysimbdpError):  # what main() does
            return Answer(print_error(done.exception), done.stdout, str(done.exception))
        assert isinstance(done.exception, SystemExit | None), done.exception
        return Answer(done.exit_code, done.stdout, done.stderr)

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json").stdout)

    def edit(self, tenant_id: str, old: str, new: str) -> None:
        path = self.tenants / tenant_id / "tenant.yaml"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    (tmp_path / "tenants").mkdir()
    monkeypatch.setenv("MYSIMBDP_TENANTS_DIR", str(tmp_path / "tenants"))
    monkeypatch.setenv("MYSIMBDP_CLIENT_APPS_DIR", str(tmp_path / "client_apps"))
    nobody = {"schema": "http", "host": "127.0.0.1", "port": 1, "login": "a"}
    monkeypatch.setenv("AIRFLOW_CONN_MYSIMBDP_AIRFLOW", json.dumps(nobody))  # what happens without Airflow
    settings.cache_clear()
    yield Cli(tmp_path / "tenants")
    settings.cache_clear()


def test_a_new_tenant_lints_clean_and_a_misspelt_key_is_shown_with_its_place(cli: Cli) -> None:
    assert cli("new", "acme").returncode == Exit.OK
    assert cli("lint").stdout == "acme: ok\n"
    cli.edit("acme", "max_nb_files", "max_nb_fils")
    found = cli("lint", "acme")
    assert found.returncode == Exit.INVALID_INPUT
    assert f"{cli.tenants}/acme/tenant.yaml:8: constraints.max_nb_fils: unknown key" in found.stdout
    assert "did you mean 'max_nb_files'?" in found.stdout
    assert {one["line"] for one in cli.json("lint")} == {7, 8}


def test_the_list_shows_broken_tenants_too(cli: Cli) -> None:
    cli("new", "acme")
    (cli.tenants / "broken").mkdir()
    rows = {row["tenant"]: row for row in cli.json("list")}
    assert rows["acme"]["keyspace"] == "tenant_acme"
    assert "TENANT_INVALID" in rows["broken"]["problem"]
    assert cli("list").returncode == Exit.INVALID_INPUT


def test_a_taken_id_is_refused(cli: Cli) -> None:
    cli("new", "acme")
    again = cli("new", "acme")
    assert (again.returncode, "TENANT_EXISTS" in again.stderr) == (Exit.INVALID_INPUT, True)


@pytest.mark.onebox
class TestApply:
    @pytest.fixture(autouse=True)
    def dropped_afterwards(self, coredms_only: Onebox) -> Iterator[None]:
        yield
        with hook_session() as session:
            for tenant_id in ("cli_a", "cli_b"):
                session.execute(f"DROP KEYSPACE IF EXISTS tenant_{tenant_id}")
                session.execute("DELETE FROM mysimbdp.schemas WHERE tenant = %s", (tenant_id,))

    def test_apply_creates_extends_and_refuses_and_one_tenant_never_stops_another(self, cli: Cli) -> None:
        cli("new", "cli_a")
        first = cli("apply", "--json")
        assert first.returncode == Exit.OK, first.stderr
        assert "pools are left as they are" in first.stderr
        actions = [c["action"] for c in json.loads(first.stdout)["changes"] if c["tenant"] == "cli_a"]
        assert actions == ["create keyspace", "create table"]
        assert "nothing to change" in cli("apply").stdout

        cli("new", "cli_b")
        cli.edit("cli_a", "double", "bigint")
        (cli.tenants / "cli_c").mkdir()
        second = cli("apply", "--json")
        assert second.returncode == Exit.INVALID_INPUT
        report = json.loads(second.stdout)
        assert {one["code"] for one in report["problems"]} == {"SCHEMA_INCOMPATIBLE", "TENANT_INVALID"}
        assert {change["tenant"] for change in report["changes"]} == {"cli_b"}

        cli.edit("cli_a", "bigint", "double\n      extra: inet")
        dry = cli.json("apply", "cli_a", "--dry-run")["changes"]
        assert [(change["action"], change["column"]) for change in dry] == [("add column", "extra")]
        assert cli.json("apply", "cli_a")["changes"] == dry
        assert cli.json("apply", "cli_a")["changes"] == []
