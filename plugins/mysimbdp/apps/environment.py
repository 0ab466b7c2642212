"""All an app gets to know by its environment; nothing of the platform's own leaks into it."""

from __future__ import annotations

import json
from pathlib import Path

from mysimbdp.tenants.model import FileFormat, Table

_PATH = "/usr/local/bin:/usr/bin:/bin"


def app_environment(
    *, tenant: str, file_name: str, file_format: FileFormat, table_name: str, table: Table, folder: Path
) -> dict[str, str]:
    """Return the whole environment of an app that works in its private `folder`."""
    columns = {
        name: {"type": str(column.type), "required": name in table.required_columns, "from": column.from_}
        for name, column in table.columns.items()
    }
    schema = {"columns": columns, "key": [*table.partition_key, *table.clustering_key]}
    return {
        "PATH": _PATH,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "MYSIMBDP_TENANT": tenant,
        "MYSIMBDP_FILE_NAME": file_name,
        "MYSIMBDP_FORMAT": file_format,
        "MYSIMBDP_TABLE": table_name,
        "MYSIMBDP_SCHEMA": json.dumps(schema),
        "MYSIMBDP_REPORT_FD": "3",
    }
