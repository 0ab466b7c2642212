"""The types a tenant file may declare: their grammar, user types, and every mistake with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.coredms.conftest import tenant_with

from mysimbdp.errors import Code
from mysimbdp.tenants.cqltypes import SCALARS, NestedType, TypeFault, only_scalars
from mysimbdp.tenants.store import load_tenants
from mysimbdp.tenants.typegrammar import parse_column_type, parse_type

GOOD = """\
tenant: acme
constraints: {max_nb_files: 1, max_file_size: 1, allowed_file_format: [csv]}
types:
  person:
    name: text
    homes: list<frozen<address>>
  address:
    street: text
    stay: duration
tables:
  visits:
    columns:
      day: date
      tags: list<text>
      words: set<text>
      owner: frozen<person>
      place: {type: "vector<float, 3>", required: true}
    partition_key: [day]
"""

SPELLINGS = [
    ("LIST< Int >", "list<int>"),
    ("varchar", "text"),
    ("map<text,frozen<list<int>>>", "map<text, frozen<list<int>>>"),
    ("frozen<list<list<int>>>", "frozen<list<frozen<list<int>>>>"),
    ("frozen<tuple<int, list<text>>>", "tuple<int, frozen<list<text>>>"),
    ("frozen<vector<float,3>>", "vector<float, 3>"),
    ('set<frozen<"address">>', "set<frozen<address>>"),
    ("vector<vector<map<int, text>, 2>, 3>", "vector<vector<frozen<map<int, text>>, 2>, 3>"),
]


@pytest.mark.parametrize(("text", "canonical"), [*SPELLINGS, *((cql, cql) for cql in SCALARS)])
def test_a_type_has_one_spelling_however_it_is_written(text: str, canonical: str) -> None:
    assert str(parse_type(text)) == canonical
    assert parse_type(canonical) == parse_type(text)


MISTAKES = [
    ("", "a type is missing"),
    ("list", "list<…>: '<' is missing at its end"),
    ("list<int", "'>' is missing at its end"),
    ("list<int>>", "'>' is left over"),
    ("list<>", "a type is needed instead of '>'"),
    ("list<int; text>", "';' has no place"),
    ("list<int, text>", "1 type between its brackets, not 2"),
    ("map<int>", "2 types between its brackets, not 1"),
    ("int int", "'int' is left over"),
    ("int<text>", "'<' is left over"),
    ("list<list<int>>", "write frozen<list<int>>"),
    ("map<text, set<int>>", "write frozen<set<int>>"),
    ("frozen<int>", "not around int"),
    ("set<duration>", "durations have no order"),
    ("map<frozen<list<duration>>, int>", "durations have no order"),
    ("counter", "would count twice"),
    ("list<counter>", "would count twice"),
    ("vector<float, 0>", "from 1 to 8192, not '0'"),
    ("vector<float, 8193>", "from 1 to 8192"),
    (f"vector<float, {'9' * 400}>", "from 1 to 8192"),
    ("vector<float>", "',' is missing instead of '>'"),
    ("vector<float, x>", "from 1 to 8192, not 'x'"),
    ("frozen<list<" * 40 + "int" + ">>" * 40, "more than 16 deep"),
]


@pytest.mark.parametrize(("text", "words"), MISTAKES, ids=[text[:32] for text, _ in MISTAKES])
def test_a_mistake_in_a_type_is_named(text: str, words: str) -> None:
    with pytest.raises(TypeFault) as caught:
        parse_column_type(text)
    assert words in str(caught.value)


def test_a_list_is_always_frozen_since_a_repeated_write_would_double_another() -> None:
    assert str(parse_column_type("list<text>")) == "frozen<list<text>>"
    assert str(parse_column_type("set<text>")) == "set<text>"


def _problems(folder: Path, text: str) -> list[tuple[int | None, str | None, str]]:
    home = folder / "acme"
    home.mkdir()
    (home / "tenant.yaml").write_text(text)
    found = load_tenants(folder).broken.get("acme", [])
    assert {problem.code for problem in found} <= {Code.TENANT_INVALID}
    return [(problem.line, problem.column, problem.what) for problem in found]


def test_user_types_are_looked_up_and_ordered_by_what_they_hold(tmp_path: Path) -> None:
    assert _problems(tmp_path, GOOD) == []
    tenant = load_tenants(tmp_path).valid["acme"]
    assert list(tenant.types) == ["address", "person"]
    owner = tenant.tables["visits"].columns["owner"].type
    assert isinstance(owner, NestedType)
    assert [name for name, _ in owner.fields] == ["name", "homes"]
    homes = owner.fields[1][1]
    assert isinstance(homes, NestedType)
    assert [part.fields[0] for part in homes.parts if isinstance(part, NestedType)] == [("street", "text")]
    assert not only_scalars(tenant.tables["visits"].cql_columns.values())


SCENARIOS: dict[str, tuple[str, str, int, str, str]] = {
    "no such type": ("day: date", "day: dat", 13, "tables.visits.columns.day.type", "did you mean 'date'?"),
    "no such type within": (
        "list<text>", "list<txet>", 14, "tables.visits.columns.tags.type", "no type 'txet'; did you mean 'text'?",
    ),
    "no such user type": (
        "frozen<person>", "frozen<persn>", 16, "tables.visits.columns.owner.type", "did you mean 'person'?",
    ),
    "a user type that is not frozen": (
        "owner: frozen<person>", "owner: person", 16, "tables.visits.columns.owner.type", "write frozen<person>",
    ),
    "a slip within a type": (
        "list<text>", "list<text", 14, "tables.visits.columns.tags.type", "'>' is missing",
    ),
    "a dimension": ("float, 3", "float, 0", 17, "tables.visits.columns.place.type", "from 1 to 8192"),
    "a type that is no text": (
        "list<text>", "{type: [text]}", 14, "tables.visits.columns.tags.type", "a type is a word",
    ),
    "a field's type": ("street: text", "street: txt", 8, "types.address.street", "did you mean 'text'?"),
    "a field's slip": ("street: text", "street: list<", 8, "types.address.street", "a type is missing"),
    "a type of CQL": ("  address:", "  list:", 7, "types.list", "is a type of CQL already"),
    "a circle": ("stay: duration", "stay: frozen<person>", 9, "types.address.stay", "person → address → person"),
    "a circle of one": ("stay: duration", "stay: frozen<address>", 9, "types.address.stay", "address → address"),
    "no fields": ("    name: text\n    homes: list<frozen<address>>", "    {}", 4, "types.person", "at least 1"),
    "a set in the key": ("[day]", "[words]", 18, "tables.visits.partition_key.0", "write frozen<set<text>>"),
    "a duration in the key": ("[day]", "[owner]", 18, "tables.visits.partition_key.0", "durations have no order"),
}  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_mistake_is_named_with_line_and_key(scenario: str, tmp_path: Path) -> None:
    old, new, line, column, words = SCENARIOS[scenario]
    found = _problems(tmp_path, GOOD.replace(old, new, 1))
    assert (line, column) in [(at, key) for at, key, _ in found]
    assert any(words in what for at, _, what in found if at == line), found


def test_every_wrong_column_is_named_at_once(tmp_path: Path) -> None:
    found = _problems(tmp_path, GOOD.replace("day: date", "day: dat").replace("frozen<person>", "frozen<persn>"))
    assert [line for line, _, _ in found] == [13, 16]


def test_one_wrong_user_type_does_not_make_its_users_wrong(tmp_path: Path) -> None:
    assert len(_problems(tmp_path, GOOD.replace("street: text", "street: txt"))) == 1


def test_tables_of_scalars_alone_are_known_as_such() -> None:
    tenant = tenant_with("acme", {"t": {"columns": {"k": "int", "d": "duration"}, "partition_key": ["k"]}})
    assert only_scalars(tenant.tables["t"].cql_columns.values())
