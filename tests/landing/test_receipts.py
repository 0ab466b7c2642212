from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema  # type: ignore[import-untyped]  # its stubs are not worth a dependency
import pytest
from pydantic import ValidationError

from hostile_names import ALL
from mysimbdp.errors import Code, Problem
from mysimbdp.landing.layout import Landing
from mysimbdp.landing.names import safe_label
from mysimbdp.landing.receipts import App, Receipt, json_schema, read_receipt, write_receipt
from mysimbdp.settings import REPOSITORY

INGEST = UUID("7f0f9a80-c8a2-11f0-8de9-0242ac120002")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SCHEMA = REPOSITORY / "docs" / "receipt.schema.json"


def receipt(name: str = "a.csv", **changes: Any) -> Receipt:
    facts: dict[str, Any] = {
        "tenant": "acme",
        "ingest_id": INGEST,
        "file": safe_label(name),
        "sha256": "0" * 64,
        "bytes": 10,
        "outcome": "committed",
        "rows_read": 3,
        "rows_written": 2,
        "rows_rejected": 1,
        "seconds": 1.5,
        "seconds_per_stage": {"app": 0.5, "load": 1.0},
        "table": "tenant_acme.apps",
        "app": App(name="clean", version="1"),
        "received_at": NOON,
        "finished_at": NOON + timedelta(seconds=1.5),
    }
    return Receipt(**{**facts, **changes})


def rows_file(folder: Path, count: int) -> Path:
    path = folder / "rejected.jsonl"
    row = {"column": "size", "value": "x", "code": "VALUE_WRONG_TYPE", "reason": "not a number"}
    path.write_text("".join(json.dumps({"source": i, "line": i + 1, **row}) + "\n" for i in range(count)))
    return path


@pytest.mark.parametrize("case", ALL)
def test_every_file_has_a_receipt_whatever_its_name(landing: Landing, case: str) -> None:
    name = ALL[case]
    written = receipt(name)
    path = write_receipt(landing, written, name=name)
    assert path.parent == landing.receipts
    assert path.name.endswith(f".{INGEST}.json")
    assert read_receipt(path) == written
    jsonschema.validate(json.loads(path.read_bytes()), json.loads(SCHEMA.read_bytes()))


def test_only_the_head_of_the_rejected_rows_is_in_it_all_are_beside_it(landing: Landing, tmp_path: Path) -> None:
    path = write_receipt(landing, receipt(), name="a.csv", rejected_rows_path=rows_file(tmp_path, 50))
    found = read_receipt(path)
    assert found is not None
    assert [row.source for row in found.first_rejected_rows] == list(range(20))
    assert found.rejected_rows_file == f"a.csv.{INGEST}.rejected.jsonl"
    assert len((landing.receipts / found.rejected_rows_file).read_text().splitlines()) == 50


def test_writing_again_after_the_private_rows_are_gone_changes_nothing(landing: Landing, tmp_path: Path) -> None:
    rows = rows_file(tmp_path, 2)
    first = write_receipt(landing, receipt(), name="a.csv", rejected_rows_path=rows).read_bytes()
    rows.unlink()
    assert write_receipt(landing, receipt(), name="a.csv", rejected_rows_path=rows).read_bytes() == first
    assert len(list(landing.receipts.iterdir())) == 2


def test_a_receipt_of_what_was_not_committed_says_why_and_what_to_do(landing: Landing) -> None:
    problem = Problem(Code.ENCODING_INVALID, "byte 0xff is not UTF-8 \udcff", "a.csv", line=7, column="size")
    told = receipt(outcome="rejected", rows_written=0, table=None).with_problem(problem)
    found = read_receipt(write_receipt(landing, told, name="a.csv"))
    assert found is not None
    assert (found.code, found.line, found.column) == (Code.ENCODING_INVALID, 7, "size")
    assert found.advice == problem.advice


def test_half_a_surrogate_pair_in_a_value_does_no_harm(landing: Landing, tmp_path: Path) -> None:
    rows = tmp_path / "rows"
    rows.write_text('{"source": 1, "code": "VALUE_WRONG_TYPE", "reason": "r", "value": "\\ud800", "new": 1}\n')
    found = read_receipt(write_receipt(landing, receipt(), name="a.csv", rejected_rows_path=rows))
    assert found is not None
    assert found.first_rejected_rows[0].value == "\\ud800"


def test_times_are_written_in_utc(landing: Landing) -> None:
    local = NOON.astimezone(timezone(timedelta(hours=2)))
    path = write_receipt(landing, receipt(received_at=local), name="a.csv")
    assert json.loads(path.read_bytes())["received_at"] == "2026-11-23T12:00:00Z"


@pytest.mark.parametrize(
    "wrong",
    [
        {"outcome": "lost"},
        {"rows_read": -1},
        {"sha256": "abc"},
        {"received_at": datetime(2026, 11, 23)},  # noqa: DTZ001  # that is the fault
        {"surprise": 1},
    ],
)
def test_a_receipt_cannot_hold_nonsense(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        receipt(**wrong)


def test_what_is_no_receipt_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    assert read_receipt(tmp_path / "x.json") is None
    assert read_receipt(tmp_path / "missing.json") is None


def test_the_committed_schema_is_current() -> None:
    assert SCHEMA.read_text() == json_schema(), "run: .venv/bin/python docs/generate.py"
