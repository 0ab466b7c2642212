"""What a run is said to cost."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import psutil
import pytest

from mysimbdp.bench.family import run

BURN = "import time\nt = time.process_time()\nwhile time.process_time() - t < 0.6: pass\n"


def python(code: str, folder: Path, *, limit: float = 20) -> tuple[int | None, float, float, int]:
    cost = run([sys.executable, "-c", code], dict(os.environ), folder, limit_seconds=limit)
    return cost.exit_code, cost.seconds, cost.cpu_seconds, cost.peak_rss_bytes


def test_output_and_exit_code_are_kept(tmp_path: Path) -> None:
    code, *_ = python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)", tmp_path)
    assert code == 7
    assert ((tmp_path / "stdout").read_text(), (tmp_path / "stderr").read_text()) == ("out\n", "err\n")


def test_cpu_and_memory_are_those_of_the_children_too(tmp_path: Path) -> None:
    child = f"{BURN}x = b'x' * 80_000_000\nimport time; time.sleep(0.8)"
    parent = f"import subprocess, sys\nx = b'x' * 50_000_000\nsubprocess.run([sys.executable, '-c', {child!r}])"
    _, seconds, cpu, peak = python(parent, tmp_path)
    assert seconds > 1.4
    assert 0.6 <= cpu < 5
    assert 130_000_000 < peak < 300_000_000


@pytest.mark.parametrize("limit", [20, 1.0])
def test_nothing_is_left_running_whether_it_ends_or_is_ended(limit: float, tmp_path: Path) -> None:
    stay = "import time; time.sleep(60)"
    code = f"import subprocess, sys\nprint(subprocess.Popen([sys.executable, '-c', {stay!r}]).pid, flush=True)\n"
    ended, *_ = python(code + (stay if limit < 20 else ""), tmp_path, limit=limit)
    assert ended == (None if limit < 20 else 0)
    orphan = int((tmp_path / "stdout").read_text())
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(orphan).wait(5)
