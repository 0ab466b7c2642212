"""`mysimbdp purge`, `ledger replay` and `audit --full` as a person calls them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from mysimbdp.cli.app import build
from mysimbdp.settings import settings

from .customers import EVENTS, Customer

pytestmark = pytest.mark.onebox

KEYED = {"events": {**EVENTS, "partition_key": ["id"]}}


def call(*words: str, answer: str = "") -> Result:
    return CliRunner().invoke(build(), list(words), input=answer)


@pytest.fixture(scope="module")
def customer(reader: Any) -> Customer:
    made = Customer.make(reader, tables=KEYED)
    folder = settings().tenants_dir / made.name
    folder.mkdir(parents=True)
    facts = made.tenant.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    (folder / "tenant.yaml").write_text(yaml.safe_dump(facts))
    made.run_one("a.csv", "id,word\n1,x\n2,x\n")
    return made


def test_a_purge_is_shown_confirmed_and_repeated(customer: Customer) -> None:
    name = customer.name
    planned = json.loads(call("purge", "a.csv", "--tenant", name, "--dry-run", "--json").stdout)
    assert [(one["rows"], one["superseded"], one["purged_at"]) for one in planned] == [(2, 0, None)]
    refused = call("purge", "a.csv", "--tenant", name, answer="n\n")
    assert refused.exit_code == 1
    assert len(customer.rows()) == 2
    for words in (["--yes", "--json"], ["--json"]):
        done = call("purge", "a.csv", "--tenant", name, *words)
        assert done.exit_code == 0, done.output
        (purged,) = json.loads(done.stdout)
        assert (purged["rows"], bool(purged["purged_at"])) == (2, True)
    assert customer.rows() == []
    replayed = call("ledger", "replay", "a.csv", "--tenant", name, "--yes", "--json")
    assert replayed.exit_code == 0, replayed.output
    (record,) = json.loads(replayed.stdout)
    assert (record["replay_of"], record["rows_written"]) == (purged["ingest_id"], 2)
    counted = call("audit", "--tenant", name, "--full", "--json")
    assert counted.exit_code == 0, counted.output
    (held,) = json.loads(counted.stdout)["holdings"]
    assert (held["rows_held"], held["rows_lost"]) == (2, 0)
    shown = json.loads(call("ledger", "show", "a.csv", "--tenant", name, "--json").stdout)
    assert [bool(one["purged_at"]) for one in shown] == [False, True]
