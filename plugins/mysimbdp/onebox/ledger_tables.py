"""The ledger's tables in the onebox's Cassandra: made once for each version of their definition."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from mysimbdp.errors import Code, Problem, TerminalError
from mysimbdp.ledger.schema import LEDGER_KEYSPACE, LEDGER_TABLES


def apply_once(home: Path, variables: Mapping[str, str]) -> None:
    """Create what is missing; skipped when this very definition was applied to this data folder before.

    In a process of its own: schema work imports Airflow, which reads its settings, those of this onebox, only once.

    Raises:
        TerminalError: SERVICE_NOT_STARTED with the end of that process's output.
    """
    digest = hashlib.sha256("\n".join(LEDGER_TABLES).encode()).hexdigest()[:16]
    # Beside the data, so that both are removed together.
    stamp = home / "cassandra" / f"ledger-{digest}"
    if stamp.exists():
        return
    done = subprocess.run(
        [sys.executable, "-m", __name__],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
    )
    if done.returncode != 0:
        last_words = "\n".join((done.stdout + done.stderr).splitlines()[-25:])
        what = f"the ledger's tables could not be made:\n{last_words}\n"
        raise TerminalError(Problem(Code.SERVICE_NOT_STARTED, what))
    stamp.touch()


if __name__ == "__main__":
    from mysimbdp.coredms.schema import apply_ledger

    apply_ledger(LEDGER_KEYSPACE, LEDGER_TABLES)
