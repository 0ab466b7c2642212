"""The peer everybody has: `COPY FROM` of cqlsh (PyPI `cqlsh`), with its defaults."""

from __future__ import annotations

import sys
from pathlib import Path

from mysimbdp.bench.shapes import TABLE
from mysimbdp.bench.writers.job import Job

BATCH_ROWS = 20
"""cqlsh's own MAXBATCHSIZE."""


def copy_from(job: Job) -> list[str]:
    """`COPY … FROM` with a header, and with smaller batches only where its own 20 rows would be refused."""
    credentials = job.write_private(
        "credentials",
        f"[PlainTextAuthProvider]\nusername = {job.coredms.login}\npassword = {job.coredms.password}\n",
    )
    options = "HEADER = true"
    if job.shape.batch_rows < BATCH_ROWS:
        options += f" AND MAXBATCHSIZE = {job.shape.batch_rows}"
    statement = f"COPY {job.keyspace}.{TABLE} ({', '.join(job.shape.columns)}) FROM '{job.file}' WITH {options};"
    # No cqlshrc of the caller's: whatever is in it would change the peer.
    none = job.write_private("cqlshrc", "")
    return [
        sys.executable,
        str(Path(sys.executable).with_name("cqlsh")),
        job.coredms.host,
        str(job.coredms.port),
        "--username",
        job.coredms.login,
        "--credentials",
        str(credentials),
        "--cqlshrc",
        str(none),
        "--execute",
        statement,
    ]
