"""Airflow's components as services, started one by one so that each listens on loopback or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import httpx

from mysimbdp.errors import Code, Problem, TerminalError
from mysimbdp.onebox import environment, process
from mysimbdp.onebox.ports import HOST, Ports
from mysimbdp.onebox.process import Service
from mysimbdp.onebox.secrets import Secrets, write_private
from mysimbdp.settings import REPOSITORY

API = "airflow-api-server"
# `airflow standalone` and the defaults would serve task logs on 0.0.0.0; with everything on one machine
# the api-server reads them from disk.
_ARGUMENTS: dict[str, tuple[str, ...]] = {
    API: ("api-server",),
    "airflow-scheduler": ("scheduler", "--skip-serve-logs"),
    "airflow-dag-processor": ("dag-processor",),
    "airflow-triggerer": ("triggerer", "--skip-serve-logs"),
}
COMPONENTS = tuple(_ARGUMENTS)
_HEALTH_NAMES = {
    "airflow-scheduler": "scheduler",
    "airflow-dag-processor": "dag_processor",
    "airflow-triggerer": "triggerer",
}


def services(home: Path, variables: Mapping[str, str], ports: Ports) -> list[Service]:
    """How to run each component, in the order of their start."""
    code = _code()
    listening = ("--host", HOST, "--port", str(ports.airflow))
    return [
        Service(
            name=name,
            argv=(sys.executable, "-m", "airflow", *arguments, *(listening if name == API else ())),
            log=home / "logs" / f"{name}.log",
            env={**_environment(variables), "MYSIMBDP_CODE": code},
            cwd=home / "airflow",
        )
        for name, arguments in _ARGUMENTS.items()
    ]


def _code() -> str:
    """Changes with the platform's code, so that `up` after an upgrade restarts whoever has the old one loaded."""
    digest = hashlib.sha256()
    for path in sorted((REPOSITORY / "plugins").rglob("*.py")):
        digest.update(f"{path}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def prepare(home: Path, secrets: Secrets) -> None:
    """Make Airflow's folder and its password file, so that Airflow never makes and prints one of its own."""
    folder = home / "airflow"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    write_private(folder / "passwords.json", json.dumps({environment.ADMIN: secrets.airflow_admin}) + "\n")


def migrate(home: Path, variables: Mapping[str, str]) -> None:
    """Bring the database to the schema of the installed Airflow; done once per version.

    Raises:
        TerminalError: SERVICE_NOT_STARTED with the end of the migration's output.
    """
    # Beside the database, so that both are removed together.
    stamp = home / "postgres" / f"migrated-{version('apache-airflow')}"
    if stamp.exists():
        return
    done = subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"],
        check=False,
        capture_output=True,
        text=True,
        cwd=home / "airflow",
        env={**os.environ, **_environment(variables), process.MARK: str(home)},
    )
    if done.returncode != 0:
        last_words = "\n".join((done.stdout + done.stderr).splitlines()[-25:])
        what = f"`airflow db migrate` failed:\n{last_words}\n"
        raise TerminalError(Problem(Code.SERVICE_NOT_STARTED, what))
    stamp.touch()


def why_not_ready(name: str, home: Path, ports: Ports) -> str | None:
    """None once component `name` says it is well, else why not yet."""
    try:
        answer = httpx.get(
            f"http://{HOST}:{ports.airflow}/api/v2/monitor/health", timeout=5, trust_env=False
        ).raise_for_status()
    except httpx.HTTPError as error:
        return f"waiting for the api-server ({type(error).__name__})"
    if name == API:
        return None
    facts = answer.json().get(_HEALTH_NAMES[name]) or {}
    beat = next((value for key, value in facts.items() if key.startswith("latest_")), None)
    running = process.running(name, home)
    # The heartbeat of a predecessor that died half a minute ago still looks healthy: it must be ours.
    if running is None or not beat or datetime.fromisoformat(beat).timestamp() < running.create_time:
        return "waiting for its first heartbeat"
    return None if facts.get("status") == "healthy" else f"its heartbeat is {facts.get('status')}"


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    # An operator's own connections and variables, exported before `up`, reach the tasks too.
    theirs = {key: value for key, value in os.environ.items() if key.startswith(("AIRFLOW_CONN_", "AIRFLOW_VAR_"))}
    return {
        **theirs,
        **variables,
        # Process titles must not overwrite the environment: we find our processes by it.
        "SPT_NOENV": "1",
        "PYTHONUNBUFFERED": "1",
        # A pool of threads has no place in a process that forks.
        "OPENBLAS_NUM_THREADS": "1",
        # No usage pings from anything below.
        "SCARF_ANALYTICS": "false",
        "DO_NOT_TRACK": "true",
    }
