"""The suite's own onebox: real services on ports and in a folder of their own, beside any onebox in use.

MYSIMBDP_TEST_HOME and MYSIMBDP_TEST_PORT_OFFSET move it (two sessions at once need two of each).
MYSIMBDP_TEST_KEEP=1 keeps it: taken as it is found, with its data, and left up at the end.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mysimbdp.onebox.onebox import Onebox
from mysimbdp.onebox.options import Options
from mysimbdp.settings import REPOSITORY, Settings, settings

HOME = Path(os.environ.get("MYSIMBDP_TEST_HOME", REPOSITORY / ".onebox-test")).resolve()
OFFSET = int(os.environ.get("MYSIMBDP_TEST_PORT_OFFSET", "10000"))
KEEP = os.environ.get("MYSIMBDP_TEST_KEEP") == "1"
_KEPT_WHEN_EMPTIED = {
    "secrets.json",
    "env",
    ".lock",
    ".session.lock",
}  # the session's environment already holds these secrets


def _test_onebox() -> Onebox:
    where = Settings(
        home=HOME,
        port_offset=OFFSET,
        tenants_dir=HOME / "tenants",
        client_apps_dir=HOME / "client_apps",
        dags_dir=REPOSITORY / "dags",
    )
    return Onebox(where, Options())


def pytest_configure() -> None:
    """Point the whole session at the test onebox before any test module can import Airflow or read settings."""
    HOME.mkdir(parents=True, exist_ok=True)
    os.environ.update(_test_onebox().variables())
    settings.cache_clear()


@pytest.fixture(scope="session")
def coredms_only() -> Iterator[Onebox]:
    """Cassandra alone, empty, with the platform's role. The connection is in the environment."""
    with (HOME / ".session.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pytest.fail(
                f"another test session uses {HOME}: wait for it, or set MYSIMBDP_TEST_HOME and "
                "MYSIMBDP_TEST_PORT_OFFSET to others"
            )
        box = _test_onebox()
        if not KEEP:
            box.down()
            _empty(HOME)
        for folder in ("tenants", "client_apps"):
            (HOME / folder).mkdir(parents=True, exist_ok=True)
        try:
            box.up(only_coredms=True)
            yield box
        finally:
            if not KEEP:
                box.down()


@pytest.fixture(scope="session")
def onebox(coredms_only: Onebox) -> Onebox:
    """The same node, with PostgreSQL and Airflow beside it; all of it well."""
    coredms_only.up()
    return coredms_only


def _empty(home: Path) -> None:
    for entry in home.iterdir():
        if entry.name in _KEPT_WHEN_EMPTIED:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
