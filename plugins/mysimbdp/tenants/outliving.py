"""Which traces of a file a tenant's retention would keep longer than what says whose they are."""

from __future__ import annotations

from collections.abc import Iterator

from mysimbdp.tenants.model import Retention

_RULES = (
    ("archive_days", "ledger_days", "an archived file whose record is gone can be neither found nor replayed"),
    ("receipts_days", "ledger_days", "a receipt would name an ingest that the ledger does not know"),
    ("rejected_days", "receipts_days", "a rejected file would lie there without the receipt that says why"),
    ("logs_days", "ledger_days", "a log would name ingests that the ledger does not know"),
)


def outliving(retention: Retention) -> Iterator[tuple[str, str]]:
    """Yield (key, what is wrong) for every span that is longer than the one it depends on."""
    for key, holder, what in _RULES:
        span, limit = getattr(retention, key), getattr(retention, holder)
        if span > limit:
            yield key, f"{key} {span} is more than {holder} {limit}: {what}"
