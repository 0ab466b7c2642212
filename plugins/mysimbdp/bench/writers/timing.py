"""How a writer that is a Python program of ours tells its own time: without interpreter start and preparation."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MARK = "timed: "


@contextmanager
def timed() -> Iterator[None]:
    """Write seconds and CPU seconds (of all threads) of the `with` body to standard output."""
    started, cpu = time.monotonic(), time.process_time()
    yield
    facts = {"seconds": time.monotonic() - started, "cpu_seconds": time.process_time() - cpu}
    sys.stdout.write(f"{MARK}{json.dumps(facts)}\n")


def told(output: Path) -> dict[str, float] | None:
    """What `timed` wrote into the file `output`, None when there is nothing of the kind."""
    for line in output.read_text(errors="replace").splitlines():
        if line.startswith(MARK):
            facts: dict[str, float] = json.loads(line.removeprefix(MARK))
            return facts
    return None
