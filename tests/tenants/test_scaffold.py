from __future__ import annotations

import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # no stubs installed
import pytest
import yaml

from mysimbdp.errors import Code, TerminalError
from mysimbdp.settings import REPOSITORY
from mysimbdp.tenants.inference import column_name
from mysimbdp.tenants.json_schema import PATH, schema_text
from mysimbdp.tenants.lint import lint
from mysimbdp.tenants.scaffold import scaffold
from mysimbdp.tenants.store import load_tenant

SAMPLES = {
    "csv": (
        "orders.csv",
        'Order Id,price,When,Paid,Zip,note\n1,2.5,2024-01-31,true,01234,"a, ""b""\nc"\n2,3,2024-02-01,false,99999,\n',
        {"order_id": "bigint", "price": "double", "when": "date", "paid": "boolean", "zip": "text", "note": "text"},
    ),
    "txt with semicolons and a BOM": (
        "2 Files.txt", "\ufeffa;b\n1;2024-01-01T10:00:00\n", {"a": "bigint", "b": "timestamp"},
    ),
    "json array": (
        "x.json", '[{"a": 1, "b": {"c": [1]}}, {"a": 2.5, "d": null}]', {"a": "double", "b": "text", "d": "text"},
    ),
    "json lines": (
        "x.jsonl",
        '{"id": "6cfeb2ee-a46f-4e72-a7f8-82615aabdad7"}\n{"id": "6cfeb2ee-a46f-4e72-a7f8-82615aabdad8"}\n',
        {"id": "uuid"},
    ),
    "names that meet": ("x.csv", "a b,a-b,A B,日本,order\n1,2,3,4,5\n", {
        "a_b": "bigint", "a_b_2": "bigint", "a_b_3": "bigint", "column": "bigint", "order": "bigint",
    }),
    "hostile names": ("x.csv", '"a: {b}","#c","\'d","null"\n1,2,3,4\n', {
        "a_b": "bigint", "c": "bigint", "d": "bigint", "null": "bigint",
    }),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text", "columns"), SAMPLES.values(), ids=SAMPLES)
def test_a_tenant_made_from_a_sample_lints_clean_and_has_its_columns(
    name: str, text: str, columns: dict[str, str], tmp_path: Path
) -> None:
    sample = tmp_path / name
    sample.write_text(text)
    path = scaffold(tmp_path / "tenants", "acme", sample)
    assert lint(tmp_path / "tenants", tmp_path)["acme"] == []
    (table,) = load_tenant(tmp_path / "tenants", "acme").tables.values()
    assert {name: column.type for name, column in table.columns.items()} == columns
    assert "mysimbdp tenants lint acme" in path.read_text()


def test_the_names_in_the_file_are_kept(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text('"a: {b}",plain\n1,2\n')
    scaffold(tmp_path / "tenants", "acme", tmp_path / "s.csv")
    columns = load_tenant(tmp_path / "tenants", "acme").tables["s"].columns
    assert {name: column.from_ for name, column in columns.items()} == {"a_b": "a: {b}", "plain": None}


def test_a_tenant_made_from_nothing_lints_clean_and_fits_the_schema(tmp_path: Path) -> None:
    path = scaffold(tmp_path, "acme")
    assert lint(tmp_path, tmp_path)["acme"] == []
    jsonschema.validate(yaml.safe_load(path.read_text()), json.loads(schema_text()))


@pytest.mark.parametrize(
    ("tenant_id", "sample", "code"),
    [
        ("Acme", None, Code.TENANT_INVALID),
        ("../x", None, Code.TENANT_INVALID),
        ("taken", None, Code.TENANT_EXISTS),
        ("acme", "missing.csv", Code.FILE_UNREADABLE),
        ("acme", "empty.csv", Code.STRUCTURE_INVALID),
        ("acme", "x.parquet", Code.FORMAT_NOT_ALLOWED),
    ],
)
def test_what_cannot_be_made_leaves_nothing_behind(
    tenant_id: str, sample: str | None, code: Code, tmp_path: Path
) -> None:
    for name, content in {"empty.csv": b"", "x.parquet": b"PAR1"}.items():
        (tmp_path / name).write_bytes(content)
    tenants = tmp_path / "tenants"
    (tenants / "taken").mkdir(parents=True)
    with pytest.raises(TerminalError) as caught:
        scaffold(tenants, tenant_id, tmp_path / sample if sample else None)
    assert caught.value.problem.code is code
    assert [entry.name for entry in tenants.iterdir()] == ["taken"]


@pytest.mark.parametrize(
    ("field", "name"), [("Total (€)", "total"), ("2nd", "c_2nd"), ("", "column"), ("x" * 90, "x" * 48)]
)
def test_any_field_gives_a_valid_column_name(field: str, name: str) -> None:
    assert column_name(field, ()) == name
    assert column_name(field, (name,)) == f"{name[:44]}_2"


def test_the_committed_json_schema_is_current() -> None:
    assert PATH.read_text() == schema_text(), "run: .venv/bin/python -m mysimbdp.tenants.json_schema"


@pytest.mark.parametrize(
    "path", sorted((REPOSITORY / "tenants").glob("*/tenant.yaml")), ids=lambda path: path.parent.name
)
def test_the_sample_tenants_fit_the_schema(path: Path) -> None:
    jsonschema.validate(yaml.safe_load(path.read_text()), json.loads(schema_text()))
