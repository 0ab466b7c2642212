"""The receipt of a purge: written beside the file's receipt, which stays as it is."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from mysimbdp.landing.layout import Landing
from mysimbdp.landing.moving import write_whole
from mysimbdp.landing.receipts import Count, Moment


class PurgeReceipt(BaseModel):
    """What was taken away of one committed file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = 1
    tenant: str
    ingest_id: UUID
    file: str
    sha256: str
    bytes: Count
    outcome: str = "purged"
    table: str
    rows_purged: Count = Field(description="Rows of this file that the table held when the purge began.")
    purged_at: Moment


def write_purge_receipt(landing: Landing, receipt: PurgeReceipt, *, name: str) -> Path:
    """Write the receipt of the purge of the file called `name`; safe to call again.

    Raises:
        TransientError: STORAGE_FULL.
    """
    landing.ensure()
    path = landing.purge_receipt_file(receipt.ingest_id, name)
    write_whole(path, f"{receipt.model_dump_json(indent=2)}\n".encode())
    return path
