"""Every writer by its name. To add one, add a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mysimbdp.bench.writers import cqlsh, driver, dsbulk, ours
from mysimbdp.bench.writers.job import Job

ROW_BY_ROW_CAP = 20_000
"""Enough for a rate: at a thousand rows a second, a million would take a quarter of an hour."""


@dataclass(frozen=True, slots=True)
class Writer:
    """How to start a writer, and what it is in a sentence. It loads at most `cap` rows of the file.

    `env` is added to its environment, e.g. to force a route of `mysimbdp ingest`.
    """

    name: str
    title: str
    command: Callable[[Job], list[str]]
    ours: bool = False
    cap: int | None = None
    needs_dsbulk: bool = False
    env: Mapping[str, str] = field(default_factory=dict)


WRITERS: dict[str, Writer] = {
    writer.name: writer
    for writer in (
        Writer(
            "ingest",
            "`mysimbdp ingest`, the whole way of a file, by SSTables from 100,000 rows on; lineage columns too",
            ours.ingest,
            ours=True,
        ),
        Writer("loader", "our bare CQL loader, from typed rows; lineage columns too", ours.loader, ours=True),
        Writer("row", "cassandra-driver, one synchronous insert a row", driver.row, cap=ROW_BY_ROW_CAP),
        Writer("concurrent", "cassandra-driver, `execute_concurrent_with_args` (128)", driver.concurrent),
        Writer("cqlsh", "cqlsh `COPY FROM`, defaults", cqlsh.copy_from),
        Writer("dsbulk", "DSBulk, defaults", dsbulk.defaults, needs_dsbulk=True),
        Writer("dsbulk-replica-set", "DSBulk, `--batch.mode REPLICA_SET`", dsbulk.replica_set, needs_dsbulk=True),
    )
}
