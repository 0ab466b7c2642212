"""Cassandra alone: these scenarios need no Airflow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mysimbdp.coredms.hook import hook_session
from mysimbdp.onebox.onebox import Onebox


@pytest.fixture(scope="session")
def reader(coredms_only: Onebox) -> Iterator[Any]:
    """A cassandra-driver session, so that nothing is read back by the driver that wrote it."""
    with hook_session() as session:
        yield session
