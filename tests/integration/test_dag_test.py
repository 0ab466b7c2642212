"""The generated DAG in one process, by `dag.test()`, with a database, tenants and folders of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mysimbdp.landing.layout import Landing
from mysimbdp.landing.receipts import read_receipt
from mysimbdp.onebox.onebox import Onebox
from mysimbdp.settings import Settings

pytestmark = pytest.mark.onebox


def test_dag_test_brings_a_file_all_the_way(coredms_only: Onebox, tmp_path: Path) -> None:
    tenant = {
        "tenant": "dag_test",
        "constraints": {"max_nb_files": 9, "max_file_size": 9, "allowed_file_format": ["csv"]},
        "tables": {"events": {"columns": {"id": "bigint", "word": "text"}, "partition_key": ["id"]}},
    }
    folder = tmp_path / "tenants" / "dag_test"
    folder.mkdir(parents=True)
    (folder / "tenant.yaml").write_text(yaml.safe_dump(tenant))
    landing = Landing(Settings(home=tmp_path / "home"), "dag_test")
    landing.ensure()
    (landing.inbox / "good.csv").write_text("id,word\n1,one\n2,two\n")
    (landing.inbox / "bad.csv").write_text("word\nno key\n")
    environment = {
        **os.environ,
        "MYSIMBDP_HOME": str(tmp_path / "home"),
        "MYSIMBDP_TENANTS_DIR": str(tmp_path / "tenants"),
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        # A process of its own needs no more; the live platform's database stays out of it.
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path / 'airflow.db'}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"sqlite+aiosqlite:///{tmp_path / 'airflow.db'}",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(tmp_path / "logs"),
    }
    for words in (("db", "migrate"), ("dags", "test", "batch_dag_test")):
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *words],
            check=False, capture_output=True, text=True, env=environment, timeout=200,
        )  # fmt: skip
        assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    receipts = {receipt.file: receipt for receipt in map(read_receipt, landing.receipts.glob("*.json")) if receipt}
    assert (receipts["good.csv"].outcome, receipts["good.csv"].rows_written) == ("committed", 2)
    assert (receipts["bad.csv"].outcome, receipts["bad.csv"].code) == ("rejected", "HEADER_MISSING_COLUMN")
