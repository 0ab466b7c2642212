"""How long the traces of a file are kept, and which of them would outlive what says whose they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from mysimbdp.tenants.strict import Strict

Days = Annotated[int, Field(ge=1, le=36_500)]


class Retention(Strict):
    """How many days after a file's outcome its traces are kept; what is still pending is always kept."""

    archive_days: Days = Field(default=30, description="Committed files, as they were received, for replay.")
    receipts_days: Days = Field(default=90, description="Receipts and the rejected rows beside them.")
    rejected_days: Days = Field(default=30, description="Rejected files.")
    ledger_days: Days = Field(
        default=400, description="The ledger's records. So long the same bytes sent again are a duplicate."
    )
    logs_days: Days = Field(default=30, description="The runs of the tenant's DAG in Airflow and their task logs.")


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
