"""`mysimbdp housekeeping`: all tenants in one go, one that cannot be done never keeps the others from their turn."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.scenarios.customers import Customer, in_ledger, tenant_facts
from typer.testing import CliRunner, Result

from mysimbdp.cli.app import build
from mysimbdp.errors import Code, Exit, TerminalError
from mysimbdp.ledger import files
from mysimbdp.ledger.files import now
from mysimbdp.ledger.switches import Standing
from mysimbdp.settings import settings

from .conftest import KEYED

pytestmark = pytest.mark.onebox


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder of tenants of the test's own, and no Airflow."""
    nobody = {"schema": "http", "host": "127.0.0.1", "port": 1, "login": "a"}
    monkeypatch.setenv("AIRFLOW_CONN_MYSIMBDP_AIRFLOW", json.dumps(nobody))
    monkeypatch.setenv("MYSIMBDP_TENANTS_DIR", str(tmp_path))
    settings.cache_clear()
    yield
    settings.cache_clear()


def write(tenants: Path, name: str, **changes: Any) -> None:
    (tenants / name).mkdir(exist_ok=True)
    (tenants / name / "tenant.yaml").write_text(yaml.safe_dump(tenant_facts(name, tables=KEYED, **changes)))


def call(*arguments: str) -> Result:
    return CliRunner().invoke(build(), ["housekeeping", *arguments])


def test_each_tenant_has_its_own_days_and_a_broken_one_is_left_as_it_is(
    reader: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short, long, broken = (Customer.make(reader, tables=KEYED) for _ in range(3))
    for customer in (short, long, broken):
        customer.run_one("good.csv", f"id,word\n1,{customer.name}\n")
    write(tmp_path, short.name, retention={"archive_days": 1})
    write(tmp_path, long.name)
    write(tmp_path, broken.name, retention={"archive_days": "always"})
    later = now() + timedelta(days=2)
    monkeypatch.setattr(files, "now", lambda: later)  # what the command asks for when it begins

    done = call("retention", "--json")
    assert done.exit_code == Exit.OK, done.output
    counts = {(one["tenant"], one["kind"]): one["count"] for one in json.loads(done.stdout) if one["count"]}
    assert counts == {(short.name, "archive"): 1}
    for customer, there in ((short, False), (long, True), (broken, True)):
        (record,) = customer.records()
        assert customer.landing.archived_file(record.ingest_id, record.name).exists() is there
    assert call("retention", "--tenant", long.name, "--dry-run").exit_code == Exit.OK
    unknown = call("retention", "--tenant", "nobody").exception
    assert isinstance(unknown, TerminalError)
    assert unknown.problem.code is Code.TENANT_UNKNOWN


def test_the_mark_of_a_removed_tenant_goes_with_its_file(reader: Any, tmp_path: Path) -> None:
    names = [f"m{uuid.uuid4().hex[:12]}" for _ in range(2)]
    for name in names:
        in_ledger(lambda ledger, name=name: ledger.switches.move(name, Standing.REMOVED, allowed=[None]))
    write(tmp_path, names[0])
    call("retention")
    switches = in_ledger(lambda ledger: ledger.switches.all())
    assert [name in switches for name in names] == [True, False]


def test_leftovers_are_listed_with_what_there_is(reader: Any, tmp_path: Path) -> None:
    kept, gone = (Customer.make(reader, tables=KEYED) for _ in range(2))
    write(tmp_path, kept.name)
    gone.run_one("good.csv", f"id,word\n1,{gone.name}\n")
    found = call("leftovers", "--json")
    assert found.exit_code == Exit.NOT_WELL
    what = {one["tenant"]: one["what"] for one in json.loads(found.stdout)}
    assert kept.name not in what
    for words in ("no tenant file", "records in the ledger", f"tenant_{gone.name}", str(gone.landing.archive_root)):
        assert words in what[gone.name]
