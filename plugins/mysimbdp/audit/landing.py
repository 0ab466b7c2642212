"""Are the files on disk those that the ledger says are there?"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress

from mysimbdp.audit.facts import Discrepancy, Facts
from mysimbdp.landing.names import safe_label
from mysimbdp.landing.removal import held_entries

LONGEST_HELD_SECONDS = 600
"""An entry leaves the inbox within milliseconds; the tenant's next run mends what a killed one left held."""


def inbox(facts: Facts) -> Iterable[Discrepancy]:
    """Entries held on their way out of the inbox and forgotten."""
    folder = facts.landing.inbox
    for key, held in held_entries(folder) if folder.exists() else ():
        with suppress(FileNotFoundError):  # it was on its way
            if time.time() - held.lstat().st_ctime > LONGEST_HELD_SECONDS:
                what = f"{held.name} was held on its way out of the inbox and forgotten"
                yield Discrepancy(facts.tenant, "inbox", key, what)


def receipts(facts: Facts) -> Iterable[Discrepancy]:
    """Settled files without their receipt, purged ones without that of the purge."""
    for record in facts.settled:
        label = safe_label(record.name)
        if "receipts" in record.pruned:
            continue
        if not facts.landing.receipt_file(record.ingest_id, record.name).exists():
            yield facts.found("receipt", record, f"{label} has no receipt")
        if record.purged_at and not facts.landing.purge_receipt_file(record.ingest_id, record.name).exists():
            what = f"the purge of {label} has no receipt: `mysimbdp purge {record.ingest_id}` writes it"
            yield facts.found("receipt", record, what)


def archives(facts: Facts) -> Iterable[Discrepancy]:
    """Committed files whose bytes or keys are not in the archive."""
    for record in facts.settled:
        if not record.archived:
            continue
        label = safe_label(record.name)
        if "archive" not in record.pruned and not (facts.archive / record.archived).exists():
            yield facts.found("archive", record, f"{label} is not at {record.archived}")
        keys = facts.landing.archived_keys(record.ingest_id)
        kept = record.is_stored and record.rows_repeated is not None and "keys" not in record.pruned
        if kept and not keys.exists():
            yield facts.found("keys", record, f"the keys of {label} are not at {keys}; a replay writes them anew")
