"""Generated and sample files: the same every time, and what the platform makes of them is what pandas makes."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
import logging
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mysimbdp.apps.limits import AppLimits
from mysimbdp.apps.registry import resolve_app
from mysimbdp.apps.runner import run_app
from mysimbdp.clients.expected import differences, expected_rows
from mysimbdp.clients.generate import RowFormat, generate
from mysimbdp.clients.playstore_words import FIELDS
from mysimbdp.clients.samples import write_samples
from mysimbdp.formats.names import format_of
from mysimbdp.quality.gate import Gate
from mysimbdp.settings import REPOSITORY, settings
from mysimbdp.tenants.routing import route
from mysimbdp.tenants.store import load_tenant


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    made = [
        generate(tmp_path / name, rows=5000, seed=seed, bad_share=0.1) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    contents = [(tmp_path / name).read_bytes() for name in "abc"]
    assert contents[0] == contents[1] != contents[2]
    assert made[0].bytes == len(contents[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]


def test_rows_are_whole_and_their_keys_unique(tmp_path: Path) -> None:
    for row_format in ("csv", "jsonl"):
        path = tmp_path / row_format
        generate(path, rows=5000, seed=3, row_format=row_format)
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file)) if row_format == "csv" else [json.loads(line) for line in file]
        assert len(rows) == len({(row["Category"], row["App"]) for row in rows}) == 5000
        assert {tuple(row) for row in rows} == {FIELDS}


def test_bad_rows_are_as_many_as_said(tmp_path: Path) -> None:
    made = generate(tmp_path / "a", rows=20_000, seed=3, bad_share=0.05)
    assert 900 < made.bad_rows < 1100
    assert generate(tmp_path / "b", rows=100, bad_share=1).bad_rows == 100
    assert generate(tmp_path / "c", rows=0).rows == 0


@pytest.mark.parametrize(("rows", "share"), [(-1, 0), (1, 1.5), (1, -0.1)])
def test_nonsense_is_refused(tmp_path: Path, rows: int, share: float) -> None:
    with pytest.raises(ValueError, match="must"):
        generate(tmp_path / "a", rows=rows, bad_share=share)


@pytest.fixture
def _repository_tenants(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("MYSIMBDP_CLIENT_APPS_DIR", str(REPOSITORY / "client_apps"))
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


def _ingest(tenant_id: str, path: Path) -> tuple[str, list[str], list[dict[str, Any]], int]:
    """Run a file through app and gate as the platform does: (table, key, rows as coredms would give them, rejected)."""
    tenant = load_tenant(REPOSITORY / "tenants", tenant_id)
    way = route(tenant, path.name)
    file_format = format_of(path.name)
    assert way is not None
    assert file_format is not None
    table = tenant.tables[way.table]
    gate = Gate(table, way.table, path.name)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    rows: list[dict[str, Any]] = []
    rejected = 0
    with run_app(
        resolve_app(tenant, way.app), tenant=tenant_id, input_path=path, file_name=path.name, file_format=file_format,
        table_name=way.table, table=table, limits=AppLimits(), log=logging.getLogger("app"),
    ) as run:  # fmt: skip
        for batch in run.batches():
            admitted = gate.admit(batch)
            assert admitted.source_is_record
            rows.extend(admitted.rows.to_pylist())
            rejected += len(admitted.rejected)
        rejected += run.rows_reported
    for row in rows:
        row.update(_file=digest, _bucket=row["_source"] // 1000, _record=row["_source"])
        for name, column in table.columns.items():
            if column.type == "decimal" and row[name] is not None:
                row[name] = Decimal(row[name])
    return way.table, [*table.cql_partition_key, *table.cql_clustering_key], rows, rejected


@pytest.mark.usefixtures("_repository_tenants")
def test_the_samples_become_the_rows_that_pandas_expects(tmp_path: Path) -> None:
    samples = write_samples(tmp_path, rows=3000)
    counts = {}
    for tenant, paths in samples.items():
        expected = expected_rows(tenant, paths)
        for path in paths:
            table, key, rows, rejected = _ingest(tenant, path)
            assert differences(expected[table], rows, key) == []
            counts[table] = (len(rows), rejected)
    assert counts["airports"] == (3376, 0)
    assert counts["seattle_weather"] == (1461, 0)
    assert counts["cars"] == (406, 0)
    assert sum(counts["apps"]) == 3000
    assert counts["apps"][1] > 0


@pytest.mark.usefixtures("_repository_tenants")
@pytest.mark.parametrize("row_format", ["csv", "jsonl"])
def test_the_apps_rejects_are_exactly_the_generators_bad_rows(tmp_path: Path, row_format: RowFormat) -> None:
    path = tmp_path / f"apps.{row_format}"
    made = generate(path, rows=3000, seed=5, bad_share=0.1, row_format=row_format)
    _, _, rows, rejected = _ingest("playstore", path)
    assert (len(rows), rejected) == (made.rows - made.bad_rows, made.bad_rows)


def test_writing_the_samples_again_touches_nothing(tmp_path: Path) -> None:
    first = write_samples(tmp_path, rows=100)
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert write_samples(tmp_path, rows=100) == first
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {path: stamps[path] for path in files}
    assert (tmp_path / "atlas" / "budget.xlsx").exists()


def test_differences_names_what_is_missing_wrong_and_too_much(tmp_path: Path) -> None:
    (tmp_path / "weather.csv").write_text(
        "date,precipitation,temp_max,temp_min,wind,weather\n2012/01/01,0.0,1,2,3,rain\n2012/01/02,,1,2,3,sun\n"
    )
    expected = expected_rows("atlas", [tmp_path / "weather.csv"])["seattle_weather"]
    first = {"precipitation": 0.0, "temp_max": 1, "temp_min": 2, "wind": 3, "weather": "snow"}
    found = [{"day": dt.date(2012, 1, 1), **first}, {"day": dt.date(2013, 1, 1), **first}]
    told = differences(expected, found, ["day"])
    assert [("weather" in line, "missing" in line, "not expected" in line) for line in told] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]
