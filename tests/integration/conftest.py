"""A live platform and a few words to speak to it: tenants, drops, verdicts, runs."""

from __future__ import annotations

import asyncio
import re
import shutil
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import yaml

from mysimbdp.audit import audit_tenant
from mysimbdp.connections import AIRFLOW, connection
from mysimbdp.coredms.hook import hook_session
from mysimbdp.landing.layout import Landing
from mysimbdp.landing.receipts import Receipt, read_receipt
from mysimbdp.ledger.ledger import Ledger, open_ledger
from mysimbdp.ledger.record import FileRecord
from mysimbdp.onebox.onebox import Onebox
from mysimbdp.settings import settings

Result = TypeVar("Result")
PATIENCE_SECONDS = 120.0


def wait_for(what: str, look: Callable[[], Result | None], seconds: float = PATIENCE_SECONDS) -> Result:
    """Look until something is seen; fails with `what` was waited for. No test depends on how fast it comes."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.2)


def in_ledger(work: Callable[[Ledger], Coroutine[Any, Any, Result]]) -> Result:
    """Do something with an open ledger."""

    async def do() -> Result:
        async with open_ledger() as ledger:
            return await work(ledger)

    return asyncio.run(do())


@dataclass(frozen=True)
class LiveTenant:
    """A tenant of the live platform."""

    name: str

    @property
    def landing(self) -> Landing:
        return Landing(settings(), self.name)

    def write_file(self, **changes: Any) -> None:
        """Write (or change) the tenant file: one table `events`, key `id`; `changes` replace top-level keys."""
        facts = {
            "tenant": self.name,
            "constraints": {"max_nb_files": 100, "max_file_size": 100, "allowed_file_format": ["csv", "json"]},
            "tables": {"events": {"columns": {"id": "bigint", "word": "text"}, "partition_key": ["id"]}},
            **changes,
        }
        folder = settings().tenants_dir / self.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tenant.yaml").write_text(yaml.safe_dump(facts))

    def app(self, name: str, script: str, *, output: str = "jsonl") -> None:
        """Give the tenant an app of its own, a Python script."""
        folder = settings().client_apps_dir / self.name / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "app.py").write_text(script)
        manifest = {"command": ["python3", "app.py"], "kind": "rows", "output": output, "version": "1"}
        (folder / "app.yaml").write_text(yaml.safe_dump(manifest))

    def drop(self, name: str, content: bytes | str) -> Path:
        """Put a file into the inbox at once."""
        wait_for("the inbox", self.landing.inbox.exists)
        draft = self.landing.inbox / f".{name}"
        draft.write_bytes(content.encode() if isinstance(content, str) else content)
        return draft.rename(self.landing.inbox / name)

    def records(self) -> list[FileRecord]:
        return in_ledger(lambda ledger: ledger.records(self.name))

    def receipts(self, name: str) -> list[Receipt]:
        found = [read_receipt(path) for path in self.landing.receipts.glob("*.json")]
        return [receipt for receipt in found if receipt is not None and receipt.file == name]

    def verdict(self, name: str, *, count: int = 1) -> Receipt:
        """Wait for the file's receipt (the newest of `count`)."""

        def look() -> Receipt | None:
            found = self.receipts(name) if self.landing.receipts.exists() else []
            return max(found, key=lambda one: one.finished_at) if len(found) >= count else None

        return wait_for(f"receipt {count} of {name}", look)

    def rows(self, table: str = "events") -> dict[int, str]:
        """What is in the table, read back through the plain driver."""
        with hook_session() as session:
            found = session.execute(f"SELECT id, word FROM tenant_{self.name}.{table}")
            return {row.id: row.word for row in found}

    def is_balanced(self) -> bool:
        """The audit finds nothing wrong."""
        return not in_ledger(lambda ledger: audit_tenant(ledger, settings(), self.name)).discrepancies


class Airflow:
    """The REST API behind the buttons of the Airflow UI."""

    def __init__(self) -> None:
        conn = connection(AIRFLOW)
        base = f"http://{conn.host}:{conn.port}"
        body = {"username": conn.login, "password": conn.password}
        token = httpx.post(f"{base}/auth/token", json=body, timeout=60, trust_env=False).raise_for_status()
        headers = {"Authorization": f"Bearer {token.json()['access_token']}"}
        self._http = httpx.Client(base_url=f"{base}/api/v2", headers=headers, timeout=60, trust_env=False)

    def get(self, path: str) -> Any:
        return self._http.get(path).raise_for_status().json()

    def call(self, method: str, path: str, **body: Any) -> Any:
        response = self._http.request(method, path, json=body)
        assert response.is_success, response.text
        return response.json()

    def trigger(self, dag_id: str) -> str:
        """Press Trigger; returns the run's id."""
        return str(self.call("POST", f"/dags/{dag_id}/dagRuns", logical_date=None)["dag_run_id"])

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        return list(self.get(f"/dags/{dag_id}/dagRuns?limit=100&order_by=-run_after")["dag_runs"])

    def has_dag(self, dag_id: str) -> bool:
        return self._http.get(f"/dags/{dag_id}").is_success

    def wait_for_run(self, dag_id: str, run_id: str) -> str:
        """Wait until the run has ended; returns its state."""

        def look() -> str | None:
            state = self.get(f"/dags/{dag_id}/dagRuns/{run_id}")["state"]
            return state if state in {"success", "failed"} else None

        return wait_for(f"the end of {dag_id} {run_id}", look)


@pytest.fixture(scope="session")
def airflow(onebox: Onebox) -> Airflow:
    """The live Airflow."""
    return Airflow()


@pytest.fixture
def tenant(request: pytest.FixtureRequest, onebox: Onebox, airflow: Airflow) -> LiveTenant:
    """A tenant of the test's own, watched by the live platform."""
    words = re.findall("[a-z0-9]+", request.node.name.lower().removeprefix("test_"))
    name = "_".join([*words[-2:], *words[:-2]])[:30].strip("_")  # what tells parameters apart comes first
    shutil.rmtree(settings().tenants_dir / name, ignore_errors=True)
    fresh = LiveTenant(name)
    fresh.write_file()
    wait_for(f"batch_{name} in Airflow", lambda: airflow.has_dag(f"batch_{name}"))
    return fresh
