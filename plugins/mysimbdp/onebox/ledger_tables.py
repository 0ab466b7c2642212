"""The ledger's tables in the onebox's Cassandra: made once for each version of their definition."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from mysimbdp.ledger.schema import LEDGER_KEYSPACE, LEDGER_TABLES


def apply_once(home: Path, variables: Mapping[str, str]) -> None:
    """Create what is missing; skipped when this very definition was applied to this data folder before.

    Raises:
        TransientError, TerminalError: COREDMS_UNREACHABLE, COREDMS_REFUSED.
    """
    digest = hashlib.sha256("\n".join(LEDGER_TABLES).encode()).hexdigest()[:16]
    # Beside the data, so that both are removed together.
    stamp = home / "cassandra" / f"ledger-{digest}"
    if stamp.exists():
        return
    from mysimbdp.coredms.schema import apply_ledger  # noqa: PLC0415  # imports Airflow, whose settings come first

    for key, value in variables.items():
        os.environ.setdefault(key, value)
    apply_ledger(LEDGER_KEYSPACE, LEDGER_TABLES)
    stamp.touch()
