from __future__ import annotations

from pathlib import Path

import pytest

from mysimbdp.errors import Code
from mysimbdp.tenants.explain import known_keys
from mysimbdp.tenants.lint import lint
from mysimbdp.tenants.model import Route
from mysimbdp.tenants.reachability import unreachable

FILE = """\
tenant: acme
constraints: {max_nb_files: 1, max_file_size: 1, allowed_file_format: [csv]}
tables:
  apps: {columns: {app: text}}
batch:
  routes:
    - {files: ["apps*.csv", "*.old"], table: apps}
    - files: ["x.csv"]
      table: apps
      app: cleaner
    - {files: ["Apps_2024*.csv"], table: apps}
"""


def test_a_missing_app_and_an_unreachable_route_are_found_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "tenants" / "acme").mkdir(parents=True)
    (tmp_path / "tenants" / "acme" / "tenant.yaml").write_text(FILE)
    problems = lint(tmp_path / "tenants", tmp_path / "apps")["acme"]
    assert [(one.line, one.column) for one in problems] == [(10, "batch.routes.1.app"), (11, "batch.routes.2.files.0")]
    (tmp_path / "apps" / "acme" / "cleaner").mkdir(parents=True)
    (tmp_path / "apps" / "acme" / "cleaner" / "app.yaml").touch()
    assert len(lint(tmp_path / "tenants", tmp_path / "apps", "acme")["acme"]) == 1


@pytest.mark.parametrize(
    ("retention", "wrong"),
    [
        ("", []),
        ("{archive_days: 400}", []),
        ("{archive_days: 401}", ["archive_days"]),
        ("{archive_days: 3, receipts_days: 6, rejected_days: 7, ledger_days: 5, logs_days: 6}",
         ["receipts_days", "rejected_days", "logs_days"]),
        ("{receipts_days: 10}", ["rejected_days"]),
    ],
)  # fmt: skip
def test_nothing_is_kept_longer_than_what_says_whose_it_is(retention: str, wrong: list[str], tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    simple = FILE[: FILE.index("batch:")]
    (tmp_path / "acme" / "tenant.yaml").write_text(f"{simple}retention: {retention or '{}'}\n")
    problems = lint(tmp_path, tmp_path / "apps")["acme"]
    assert [one.column for one in problems] == [f"retention.{key}" for key in wrong]
    assert all(one.line == 5 and one.code is Code.TENANT_INVALID for one in problems)


@pytest.mark.parametrize("days", ["0", "-1", "1.5", "many", "40000"])
def test_days_are_whole_and_at_least_one(days: str, tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    simple = FILE[: FILE.index("batch:")]
    (tmp_path / "acme" / "tenant.yaml").write_text(f"{simple}retention: {{ledger_days: {days}}}\n")
    (problem,) = lint(tmp_path, tmp_path / "apps")["acme"]
    assert problem.column == "retention.ledger_days"


def test_an_unknown_tenant_is_a_problem(tmp_path: Path) -> None:
    assert lint(tmp_path, tmp_path, "nobody")["nobody"][0].code is Code.TENANT_UNKNOWN


@pytest.mark.parametrize(
    ("earlier", "later", "hidden"),
    [
        ("*", "apps.csv", True),
        ("apps*.csv", "apps_2024*.csv", True),
        ("APPS*.csv", "apps.csv", True),
        ("*.csv", "*.csv", True),
        ("*", "[ab]?.csv", True),
        ("apps*.csv", "*.csv", False),
        ("a?.csv", "a*.csv", False),
        ("a?.csv", "ab.csv", False),
        ("[ab].csv", "a.csv", False),
        ("*.csv", "*.json", False),
    ],
)
def test_only_what_is_certainly_taken_earlier_is_called_unreachable(earlier: str, later: str, hidden: bool) -> None:
    routes = [Route(files=[earlier], table="t"), Route(files=[later], table="t")]
    assert unreachable(routes) == ([(1, 0, later, earlier)] if hidden else [])


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ([], "constraints"),
        (["constraints"], "max_nb_files"),
        (["tables", "any"], "partition_key"),
        (["tables", "any", "columns", "any"], "from"),
        (["batch", "routes", 0], "app"),
        (["source"], "done_marker"),
    ],
)
def test_the_keys_of_every_level_are_known(path: list[str | int], known: str) -> None:
    assert known in known_keys(path)


def test_any_name_may_be_a_table_or_a_column() -> None:
    assert known_keys(["tables"]) == []
    assert known_keys(["tables", "any", "columns"]) == []
