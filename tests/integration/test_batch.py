"""Files dropped for a live platform: watcher, scheduler, tasks, Cassandra, all real."""

from __future__ import annotations

import re
import time

import pytest

from mysimbdp.settings import settings

from .conftest import Airflow, LiveTenant, wait_for

pytestmark = [pytest.mark.onebox, pytest.mark.airflow]

THREE = "id,word\n1,one\n2,two\n3,three\n"
SLOW_APP = """
import json, sys, time
text = open(sys.argv[1]).read().split("\\n")[1:]
for number, line in enumerate(filter(None, text), 1):
    key, word = line.split(",")
    if word == "slow":
        time.sleep(6)
    print(json.dumps({"id": key, "word": word, "_source": number}))
"""
HANGING_APP = "import time\ntime.sleep(3600)\n"


def test_a_dropped_file_lands_by_itself(tenant: LiveTenant, airflow: Airflow) -> None:
    tenant.drop("three.csv", THREE)
    receipt = tenant.verdict("three.csv")
    assert (receipt.outcome, receipt.rows_read, receipt.rows_written) == ("committed", 3, 3)
    assert tenant.rows() == {1: "one", 2: "two", 3: "three"}
    assert list(tenant.landing.inbox.iterdir()) == []
    assert tenant.is_balanced()

    log = (settings().logs_dir / "server.log").read_text()
    line = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} :: INFO :: mysimbdp : three.csv was correctly ingested into "
    line += r"mysimbdp-coredms. File size: 28 -- Total ingestion time: [\d.]+$"
    assert re.search(line, log, re.MULTILINE), log

    dag = f"batch_{tenant.name}"
    [run] = wait_for("the run's end", lambda: [r for r in airflow.runs(dag) if r["state"] == "success"])
    log = str(airflow.get(f"/dags/{dag}/dagRuns/{run['dag_run_id']}/taskInstances/record/logs/1"))
    assert "three.csv was correctly ingested into mysimbdp-coredms. File size: 28 -- Total ingestion time: " in log
    uri = f"mysimbdp://coredms/tenant_{tenant.name}/events"
    events = airflow.get("/assets/events?limit=100")["asset_events"]
    assert [event["extra"]["rows"] for event in events if event["uri"] == uri] == [3]


def test_same_bytes_twice_land_once(tenant: LiveTenant) -> None:
    tenant.drop("first.csv", THREE)
    assert tenant.verdict("first.csv").outcome == "committed"
    tenant.drop("second.csv", THREE)
    receipt = tenant.verdict("second.csv")
    assert receipt.outcome == "duplicate"
    assert receipt.duplicate_of == tenant.verdict("first.csv").ingest_id
    assert tenant.is_balanced()


def test_rejected_bytes_are_taken_again(tenant: LiveTenant) -> None:
    tenant.drop("words.csv", "id\n1\n")
    assert tenant.verdict("words.csv").outcome == "committed", "an optional column may be missing"
    tenant.drop("junk.csv", "word\nx\n")
    assert tenant.verdict("junk.csv").code == "HEADER_MISSING_COLUMN"
    tenant.drop("junk.csv", "word\nx\n")
    assert tenant.verdict("junk.csv", count=2).outcome == "rejected", "not a duplicate"
    assert tenant.is_balanced()


def test_many_files_at_once_all_land(tenant: LiveTenant) -> None:
    for number in range(30):
        tenant.drop(f"f{number}.csv", f"id,word\n{number},w{number}\n")
    for number in range(30):
        assert tenant.verdict(f"f{number}.csv").outcome == "committed"
    assert tenant.rows() == {number: f"w{number}" for number in range(30)}
    assert tenant.is_balanced()


def test_a_growing_file_is_left_alone(tenant: LiveTenant) -> None:
    wait_for("the inbox", tenant.landing.inbox.exists)
    with (tenant.landing.inbox / "grows.csv").open("w") as out:
        out.write("id,word\n")
        for number in range(40):
            out.write(f"{number},w{number}\n")
            out.flush()
            time.sleep(settings().scan_seconds / 4)
        assert tenant.records() == []
    assert tenant.verdict("grows.csv").rows_written == 40


def test_small_passes_big(tenant: LiveTenant) -> None:
    tenant.app("slow", SLOW_APP)
    tenant.write_file(batch={"routes": [{"files": ["*"], "table": "events", "app": "slow"}]})
    time.sleep(3)  # until the watcher and the tasks see the new tenant file
    tenant.drop("big.csv", "id,word\n1,slow\n2,slow\n")
    wait_for("the big file's claim", lambda: [one for one in tenant.records() if one.state == "ingesting"])
    tenant.drop("small.csv", "id,word\n3,quick\n")
    assert tenant.verdict("small.csv").outcome == "committed"
    assert not tenant.receipts("big.csv")
    assert tenant.verdict("big.csv").outcome == "committed"


def test_one_bad_app_never_blocks(tenant: LiveTenant) -> None:
    tenant.app("hangs", HANGING_APP)
    routes = [{"files": ["bad*"], "table": "events", "app": "hangs"}, {"files": ["*"], "table": "events"}]
    tenant.write_file(batch={"routes": routes, "app_timeout_seconds": 1, "max_attempts": 2})
    time.sleep(3)
    tenant.drop("bad.csv", THREE)
    tenant.drop("good.csv", "id,word\n7,seven\n")
    assert tenant.verdict("good.csv").outcome == "committed"
    receipt = tenant.verdict("bad.csv")
    assert (receipt.outcome, receipt.code) == ("failed", "ATTEMPTS_EXHAUSTED")
    assert "2 times" in str(receipt.reason)
    tenant.drop("next.csv", "id,word\n8,eight\n")
    assert tenant.verdict("next.csv").outcome == "committed"
    assert tenant.is_balanced()


def test_a_broken_tenant_file_shows(tenant: LiveTenant, airflow: Airflow) -> None:
    other = LiveTenant(f"{tenant.name[:24]}_other")
    other.write_file()
    (settings().tenants_dir / tenant.name / "tenant.yaml").write_text(f"tenant: {tenant.name}\ntabels: {{}}\n")
    dag = f"batch_{tenant.name}"

    def tags() -> set[str]:
        return {tag["name"] for tag in airflow.get(f"/dags/{dag}")["tags"]}

    wait_for("its error in the UI", lambda: "broken tenant file" in tags())
    wait_for("its red run", lambda: [run for run in airflow.runs(dag) if run["state"] == "failed"])
    assert "tabels" in airflow.get(f"/dags/{dag}/details")["doc_md"], "it names the key that is wrong"
    wait_for("the other's DAG", lambda: airflow.has_dag(f"batch_{other.name}"))
    other.drop("three.csv", THREE)
    assert other.verdict("three.csv").outcome == "committed"
    tenant.write_file()
    wait_for("the mended DAG", lambda: "broken tenant file" not in tags())
    tenant.drop("three.csv", THREE)
    assert tenant.verdict("three.csv").outcome == "committed"


def test_a_changed_tenant_file(tenant: LiveTenant) -> None:
    tenant.drop("three.csv", THREE)
    assert tenant.verdict("three.csv").outcome == "committed"
    columns = {"id": "bigint", "word": "text", "size": "int"}
    tenant.write_file(tables={"events": {"columns": columns, "partition_key": ["id"]}})
    time.sleep(1)
    tenant.drop("sizes.csv", "id,word,size\n9,nine,4\n")
    assert tenant.verdict("sizes.csv").rows_written == 1, "the new column was added by the way"
    incompatible = {"events": {"columns": {"id": "bigint", "word": "int"}, "partition_key": ["id"]}}
    tenant.write_file(tables=incompatible)
    time.sleep(1)
    tenant.drop("later.csv", "id,word\n10,11\n")

    def reason() -> str:
        newest = tenant.records()[0]
        return str(newest.problem.code) if newest.name == "later.csv" and newest.problem else ""

    # The operator's mistake, not the customer's: the file waits, with the reason in the ledger, until it is mended.
    wait_for("the visible reason", lambda: reason() == "SCHEMA_INCOMPATIBLE")
    assert not tenant.receipts("later.csv")
    tenant.write_file(tables={"events": {"columns": columns, "partition_key": ["id"]}})
    assert tenant.verdict("later.csv").outcome == "committed"
    assert tenant.rows()[10] == "11"
    assert tenant.is_balanced()
