"""A table's definition survives as text, whatever types its columns have."""

from __future__ import annotations

from mysimbdp.tenants.model import Tenant
from mysimbdp.tenants.tabletext import table_from_text, table_to_text


def test_a_table_comes_back_with_its_user_types() -> None:
    tenant = Tenant.model_validate(
        {
            "tenant": "acme",
            "constraints": {"max_nb_files": 1, "max_file_size": 1, "allowed_file_format": ["csv"]},
            "types": {"street": {"name": "text", "number": "int"}, "address": {"at": "frozen<street>", "zip": "text"}},
            "tables": {
                "people": {
                    "columns": {
                        "id": {"type": "uuid", "from": "ID", "required": True},
                        "born": "date",
                        "home": "frozen<address>",
                        "others": "list<frozen<address>>",
                        "tags": "set<text>",
                    },
                    "partition_key": ["id"],
                    "clustering_key": ["home"],
                    "lineage": False,
                }
            },
        }
    )
    table = tenant.tables["people"]
    back = table_from_text(table_to_text(table))
    assert back == table
    home, then = back.columns["home"].type, table.columns["home"].type
    assert not isinstance(home, str)
    assert not isinstance(then, str)
    assert home.fields == then.fields
    assert dict(home.fields)["at"].fields == (("name", "text"), ("number", "int"))  # type: ignore[union-attr]
