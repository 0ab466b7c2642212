"""Tenant files as they are read: what is wrong with one is data, and never hurts another."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mysimbdp.errors import Code, TerminalError
from mysimbdp.tenants import store as store_module
from mysimbdp.tenants import yamlfile
from mysimbdp.tenants.store import load_tenant, load_tenants

GOOD = """\
tenant: acme
constraints:
  max_nb_files: 10
  max_file_size: 100
  allowed_file_format: [csv, json]
tables:
  apps:
    columns:
      app: text
      price: {type: decimal, from: Price}
      no: int
      released: {type: date, required: true}
    partition_key: [app]
batch:
  routes:
    - files: ["apps*.csv"]
      table: apps
"""


def write(folder: Path, text: str | bytes, tenant_id: str = "acme") -> Path:
    home = folder / tenant_id
    home.mkdir(parents=True, exist_ok=True)
    path = home / "tenant.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


SCENARIOS = {
    "unknown key": (GOOD.replace("max_nb_files", "max_nb_file"), 3, "constraints.max_nb_file", "mean 'max_nb_files'?"),
    "unknown key of a column": (
        GOOD.replace("from: Price", "form: Price"), 10, "tables.apps.columns.price.form", "did you mean 'from'?",
    ),
    "missing key": (GOOD.replace("  max_nb_files: 10\n", ""), 2, "constraints.max_nb_files", "is missing"),
    "no such type": (GOOD.replace("no: int", "no: txet"), 11, "tables.apps.columns.no.type", "did you mean 'text'?"),
    "no such format": (GOOD.replace("json]", "jsn]"), 5, "constraints.allowed_file_format.1", "did you mean 'json'?"),
    "not a number": (GOOD.replace("10\n", "ten\n", 1), 3, "constraints.max_nb_files", "valid integer"),
    "a column's name": (GOOD.replace("no: int", "No: int"), 11, "tables.apps.columns.No", "not a valid name"),
    "key without column": (GOOD.replace("[app]", "[id]"), 7, "tables.apps", "'id' is not among the columns"),
    "route without table": (GOOD.replace("table: apps", "table: app"), 15, "batch.routes", "'app' is not among"),
    "list for a mapping": (GOOD.replace("constraints:", "constraints: []\nx:"), 2, "constraints", "a mapping"),
    "another id": (GOOD.replace("acme", "other"), 1, "tenant", "is not the name of its folder"),
    "key twice": (GOOD.replace("  max_nb", "  max_nb_files: 1\n  max_nb"), 4, "3", "appears twice"),
    "not YAML": (GOOD.replace("[app]", "[app"), 14, "6", "not valid YAML"),
    "a tab": (GOOD.replace("  max_nb", "\tmax_nb"), 3, "1", "not valid YAML"),
    "not UTF-8": (GOOD.encode() + b"# caf\xe9\n", 18, None, "not UTF-8"),
    "UTF-16": (GOOD.encode("utf-16"), 1, None, "not UTF-8"),
    "a bell": (GOOD + "# \x07\n", None, None, "not valid YAML"),
    "two documents": (GOOD + "---\na: 1\n", 18, "1", "another document"),
    "alias": ("a: &x [1]\nb: *x\n", 2, "4", "aliases"),
    "billion laughs": ("a: &a [x]\n" + "".join(f"b{i}: &b{i} [*a, *a]\n" for i in range(9)), 2, "10", "aliases"),
    "too deep": ("[" * 100_000, 1, "33", "nested too deeply"),
    "a Python object": ("tenant: !!python/object/apply:os.getcwd []\n", 1, "9", "not valid YAML"),
    "a list": ("- 1\n", 1, None, "a mapping that begins with"),
    "empty": ("", 1, None, "a mapping that begins with"),
    "too large": (b"#" * 1_100_000, None, None, "at most 1048576"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "column", "words"), SCENARIOS.values(), ids=SCENARIOS)
def test_a_broken_file_says_where_and_what_and_leaves_others_alone(
    text: str | bytes, line: int | None, column: str | None, words: str, tmp_path: Path
) -> None:
    path = write(tmp_path, text)
    write(tmp_path, GOOD.replace("acme", "fine"), "fine")
    store = load_tenants(tmp_path)
    assert set(store.valid) == {"fine"}
    problem = next(one for one in store.broken["acme"] if words in one.what)
    assert (problem.code, problem.file) == (Code.TENANT_INVALID, str(path))
    assert (problem.line, problem.column) == (line, column)
    with pytest.raises(TerminalError):
        load_tenant(tmp_path, "acme")


def test_all_problems_of_a_file_are_named_in_the_order_of_their_lines(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("10\n", "ten\n", 1).replace("no: int", "no: integer").replace("files:", "file:"))
    lines = [problem.line for problem in load_tenants(tmp_path).broken["acme"]]
    assert lines == sorted(lines, key=lambda line: line or 0)
    assert {3, 11, 16} <= set(lines)


def test_words_that_old_yaml_takes_for_booleans_stay_words(tmp_path: Path) -> None:
    text = GOOD.replace("no: int", "on: {type: int, from: No}\n      y: int\n      off: text")
    write(tmp_path, text)
    columns = load_tenant(tmp_path, "acme").tables["apps"].columns
    assert columns["on"].from_ == "No"
    assert {"y", "off"} <= set(columns)


def test_a_byte_order_mark_and_dos_line_ends_do_no_harm(tmp_path: Path) -> None:
    write(tmp_path, b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load_tenant(tmp_path, "acme").constraints.max_nb_files == 10


def test_what_is_no_tenant_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "tenant.schema.json").write_text("{}")
    (tmp_path / ".git").mkdir()
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "empty").mkdir()
    store = load_tenants(tmp_path)
    assert store.valid == {}
    assert list(store.broken) == ["empty"]
    assert load_tenants(tmp_path / "nowhere").valid == {}


@pytest.mark.parametrize("tenant_id", ["nobody", "../acme", "", "Acme", "a" * 40])
def test_an_unknown_tenant_is_said_to_be_unknown(tenant_id: str, tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    with pytest.raises(TerminalError) as caught:
        load_tenant(tmp_path / "acme", tenant_id)
    assert caught.value.problem.code is Code.TENANT_UNKNOWN


def test_a_pipe_instead_of_a_file_is_refused_without_waiting(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    os.mkfifo(tmp_path / "acme" / "tenant.yaml")
    assert "not a regular file" in load_tenants(tmp_path).broken["acme"][0].what


def test_one_tenant_alone_is_read_when_asked(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    write(tmp_path, GOOD, "other")
    assert (list(load_tenants(tmp_path, only="acme").valid), load_tenants(tmp_path, only="acme").broken) == (
        ["acme"],
        {},
    )
    assert list(load_tenants(tmp_path, only="other").broken) == ["other"]
    assert load_tenants(tmp_path, only="none") == load_tenants(tmp_path / "nowhere")


def test_a_file_is_read_again_only_when_it_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Path] = []

    def counted(path: Path) -> bytes:
        reads.append(path)
        return yamlfile.read_bytes(path)

    monkeypatch.setattr(store_module, "read_bytes", counted)
    path = write(tmp_path, GOOD)
    first = load_tenants(tmp_path).valid["acme"]
    assert load_tenants(tmp_path).valid["acme"] is first
    assert len(reads) == 1
    path.write_text(GOOD.replace("10\n", "11\n", 1))  # the same size
    assert load_tenants(tmp_path).valid["acme"].constraints.max_nb_files == 11
    path.unlink()
    assert "acme" in load_tenants(tmp_path).broken
    write(tmp_path, GOOD)
    assert "acme" in load_tenants(tmp_path).valid
