"""Which loads go as SSTables: many rows, to a node that is here and alone."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from mysimbdp.coredms import routes
from mysimbdp.coredms.batching import BatchLimits
from mysimbdp.coredms.routes import BULK_FROM_ROWS, bulk_target
from mysimbdp.tenants.model import Table

NOTHING = ""


@pytest.mark.parametrize("lacking", [NOTHING, "rows", "plain types", "solitude", "folder", "jars", "bulk"])
def test_a_load_goes_in_bulk_when_it_can_and_is_worth_it(
    lacking: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def limits(_session: Any) -> BatchLimits:
        return BatchLimits(across_partitions=lacking != "solitude")

    nested = "set<int>" if lacking == "plain types" else "list<frozen<tuple<int, vector<text, 2>>>>"
    table = Table.model_validate({"columns": {"k": "uuid", "v": nested}, "partition_key": ["k"]})
    folder, jars = tmp_path / "import", tmp_path / "jars.json"
    if lacking != "folder":
        folder.mkdir()
    if lacking != "jars":
        jars.write_text("[]")
    bulk = {"jmx": "127.0.0.1:7199", "login": "m", "password": "p", "folder": str(folder), "jars": str(jars)}
    extra = {} if lacking == "bulk" else {"bulk": bulk}
    monkeypatch.setenv("AIRFLOW_CONN_MYSIMBDP_COREDMS", json.dumps({"host": "127.0.0.1", "port": 1, "extra": extra}))
    monkeypatch.setattr(routes, "read_limits", limits)
    target = asyncio.run(bulk_target(None, table, BULK_FROM_ROWS - (lacking == "rows")))
    assert (target is None) is (lacking != NOTHING)
    if target is not None:
        assert (target.host, target.port, target.folder) == ("127.0.0.1", 7199, folder)
