"""The tenant file's JSON schema, for editors; committed beside the tenant files.

`python -m mysimbdp.tenants.json_schema` writes it again.
"""

from __future__ import annotations

import json

from mysimbdp.settings import REPOSITORY
from mysimbdp.tenants.model import Tenant

PATH = REPOSITORY / "tenants" / "tenant.schema.json"


def schema_text() -> str:
    """The schema as it is committed."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Tenant.model_json_schema()}
    column = schema["$defs"]["Column"]
    # a bare type name is short for {type: …}
    schema["$defs"]["Column"] = {"anyOf": [column, column["properties"]["type"]]}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(schema_text())
