"""Writes a new tenant file that lints clean and explains itself."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from mysimbdp.errors import Code, Problem, TerminalError
from mysimbdp.tenants.inference import Guess, column_name, infer
from mysimbdp.tenants.store import FILE_NAME

_ID = re.compile(r"[a-z][a-z0-9_]{1,30}")

_EXAMPLE = [
    Guess("id", "id", "text", distinct=True),
    Guess("name", "name", "text", distinct=False),
    Guess("amount", "amount", "double", distinct=False),
    Guess("created", "created", "timestamp", distinct=False),
]

_TEMPLATE = """\
# yaml-language-server: $schema=../tenant.schema.json
# Check this file with: mysimbdp tenants lint {id}

tenant: {id}                # the id; equals the folder's name
title: ""

constraints:
  max_nb_files: 1000          # files the tenant may have stored in all
  max_file_size: 10000        # megabytes (10**6 bytes) it may have stored in all
  allowed_file_format: [{formats}]   # of csv, txt, json, jsonl, xml, parquet
  # max_mb_per_file: 500      # the largest single file

source:
  kind: folder                # the tenant's inbox on this platform
  # done_marker: true         # take a file only once an empty <name>.done lies beside it

# types:                      # user types, for columns of type frozen<address>; see docs/types.md
#   address: {{street: text, zip: int, phones: "list<text>"}}

tables:
  {table}:
    columns:                  # name: type, or {{type: …, from: "name in the file", required: true}}
{columns}
    # The natural key: rows with the same key replace each other. Without one every row is kept,
    # under the file's digest and the record's number.
{key}

batch:
  # Which files go through which app into which table; one table needs no routes.
  # routes:
  #   - files: ["{table}*.{first_format}"]
  #     table: {table}
  #     app: cleaner            # a folder below client_apps/{id}/; none = built in
  max_parallel_tasks: 2       # of this tenant at once

# retention:                  # days after a file's outcome; what is pending is always kept
#   archive_days: 30          # committed files as they were received, for replay
#   receipts_days: 90         # receipts, and the rejected rows beside them
#   rejected_days: 30         # rejected files
#   ledger_days: 400          # the ledger's records: so long the same bytes sent again are a duplicate
#   logs_days: 30             # runs in Airflow and their logs
"""


def scaffold(tenants_dir: Path, tenant_id: str, sample: Path | None = None) -> Path:
    """Write tenants/<tenant_id>/tenant.yaml, with the columns of `sample` (csv, txt, json, jsonl) if given.

    Returns the file's path.

    Raises:
        TerminalError: TENANT_INVALID (not a valid id), TENANT_EXISTS, and what inference.infer raises.
    """
    if not _ID.fullmatch(tenant_id):
        what = f"{tenant_id!r} is no tenant id: 2 to 31 of a-z, 0-9 and _, a letter first"
        raise TerminalError(Problem(Code.TENANT_INVALID, what))
    home = tenants_dir / tenant_id
    if home.exists():
        raise TerminalError(Problem(Code.TENANT_EXISTS, f"there is a tenant {tenant_id!r} already", str(home)))
    text = _text(tenant_id, sample)
    home.mkdir(parents=True)
    path = home / FILE_NAME
    # by another name first: whoever watches the folder never sees half a file
    draft = home / f".{FILE_NAME}"
    draft.write_text(text)
    os.replace(draft, path)  # noqa: PTH105  # Path.replace is the same; this name says it is atomic
    return path


def _text(tenant_id: str, sample: Path | None) -> str:
    if sample is None:
        formats, guesses, table = ["csv", "jsonl"], _EXAMPLE, "records"
    else:
        found, guesses = infer(sample)
        formats, table = [str(found)], column_name(sample.stem, ())
    width = max(len(guess.name) for guess in guesses) + 1
    columns = "\n".join(f"      {guess.name + ':':<{width}} {_column(guess)}" for guess in guesses)
    key = next((guess for guess in guesses if guess.distinct), guesses[0])
    return _TEMPLATE.format(
        id=tenant_id,
        formats=", ".join(formats),
        first_format=formats[0],
        table=table,
        columns=columns,
        key=f"    # partition_key: [{key.name}]",
    )


def _column(guess: Guess) -> str:
    if guess.field == guess.name:
        return guess.type
    return f"{{type: {guess.type}, from: {json.dumps(guess.field, ensure_ascii=False)}}}"
