"""Is a row gone because a later file took its place and was purged then? Only their keys can tell."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from mysimbdp.audit.facts import Facts
from mysimbdp.coredms.keyfile import open_keys
from mysimbdp.coredms.repeats import digests
from mysimbdp.ledger.record import FileRecord


def unexplained(facts: Facts, record: FileRecord, gone: pa.RecordBatch, key: list[str]) -> pa.RecordBatch:
    """Those of the rows `gone` (at most a row group's) that no later file had overwritten before it was purged."""
    for later in _purged_later(facts, record):
        keys = open_keys(facts.landing.archived_keys(later.ingest_id))
        for group in keys.keys() if keys else ():
            if not gone.num_rows:
                return gone
            known = pc.is_in(digests(gone.select(key)), digests(group.select(key)))
            gone = gone.filter(pc.invert(known))
    return gone


def _purged_later(facts: Facts, record: FileRecord) -> Iterable[FileRecord]:
    for other in facts.records:
        is_later = (other.write_timestamp or 0) > (record.write_timestamp or 0)
        if is_later and other.table_name == record.table_name and other.purge_begun_at is not None:
            yield other
