"""Are the rows of the latest files there? A few of each are looked up, whatever the size of the tables."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random

from mysimbdp.audit.facts import Discrepancy, Facts
from mysimbdp.audit.superseding import unexplained
from mysimbdp.coredms.keyfile import open_keys
from mysimbdp.coredms.owners import Owners
from mysimbdp.errors import Code, TerminalError
from mysimbdp.landing.names import safe_label
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.tenants.names import keyspace_of

FILES = 20
KEYS_A_FILE = 20


async def sampled(ledger: Ledger, facts: Facts, seed: int) -> AsyncIterator[Discrepancy]:
    """Of up to KEYS_A_FILE rows of each of the FILES latest stored files: those that are gone. The same `seed` looks at
    the same rows."""
    for record in [record for record in facts.settled if record.is_stored][:FILES]:
        keys = await asyncio.to_thread(open_keys, facts.landing.archived_keys(record.ingest_id))
        if keys is None:
            continue  # named by another check
        sample = await asyncio.to_thread(keys.sample, KEYS_A_FILE, Random(seed))  # noqa: S311  # no secret
        owners = Owners(ledger.session, keyspace_of(facts.tenant), record.table_name or "", keys.table)
        try:
            gone = (await owners.of(sample, record.write_timestamp or 0)).gone
        except TerminalError as fault:
            if fault.problem.code is not Code.SCHEMA_NOT_APPLIED:
                raise
            gone = list(range(sample.num_rows))
        missing = unexplained(facts, record, sample.take(gone), owners.key) if gone else sample.slice(0, 0)
        if missing.num_rows:
            of_it = ", ".join(str(number) for number in missing.column("_source").to_pylist()[:5])
            what = (
                f"{missing.num_rows} of {sample.num_rows} rows looked up of {safe_label(record.name)} are gone from "
                f"{record.table_name} (records {of_it}); `mysimbdp audit --full` counts them, a replay brings them back"
            )
            yield facts.found("table", record, what)
