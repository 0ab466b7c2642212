"""Whether a file is being written is asked of the kernel, so that a writer that pauses is not taken for done."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mysimbdp.errors import Code, TransientError
from mysimbdp.landing.completeness import seen
from mysimbdp.landing.staging import take_copy
from mysimbdp.landing.writers import is_being_written

WRITER = "import sys; out = open(sys.argv[1], 'a'); out.write('half'); out.flush(); print('open', flush=True); input()"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_text("id\n1\n")
    return path


def test_a_file_nobody_writes_is_free(written: Path) -> None:
    assert not is_being_written(written)


def test_readers_do_not_count(written: Path) -> None:
    with written.open():
        assert not is_being_written(written)


def test_a_writer_that_pauses_is_seen_and_gone_when_it_closes(written: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(written)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdin is not None
        writer.stdout.readline()
        assert is_being_written(written)
        look = seen("a.csv", written.lstat())
        with pytest.raises(TransientError) as growing:
            take_copy(written, tmp_path / "copy", look, 10**6)
        assert growing.value.problem.code is Code.FILE_STILL_GROWING
        writer.stdin.write("\n")
        writer.stdin.close()
        writer.wait()
    assert not is_being_written(written)


def test_asking_leaves_nothing_behind(written: Path) -> None:
    assert not is_being_written(written)
    with written.open("a") as out:  # would wait for a lease that was forgotten
        out.write("2\n")


def test_what_is_no_file_is_for_others_to_find_out(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/passwd")
    assert not any(is_being_written(tmp_path / name) for name in ("pipe", "link", "missing"))
