"""An app is a black box: whatever it does, its file gets a verdict, and nothing of it is left."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from tests.apps.running import TABLE, python, run, shell

from mysimbdp.apps.contract import OutputKind
from mysimbdp.apps.limits import AppLimits
from mysimbdp.apps.registry import App
from mysimbdp.apps.runner import run_app
from mysimbdp.errors import Code, MysimbdpError, TerminalError, TransientError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "input.csv"
    path.write_text("a,N\nx,1\n")
    return path


ENDS = {
    "exit 65": ("exit 65", TerminalError, Code.APP_REJECTED, "refuses"),
    "exit 65 with a reason": (
        """echo '{"event":"file_rejected","code":"STRUCTURE_INVALID","reason":"no sums","line":7}' >&3; exit 65""",
        TerminalError, Code.STRUCTURE_INVALID, "no sums",
    ),
    "exit 65 with a code that is not the app's to give": (
        """echo '{"event":"file_rejected","code":"COREDMS_UNREACHABLE","reason":"x"}' >&3; exit 65""",
        TerminalError, Code.APP_REJECTED, "x",
    ),
    "exit 75": ("echo the moon is wrong >&2; exit 75", TransientError, Code.APP_TRY_LATER, "the moon is wrong"),
    "exit 3": (
        "echo first >&2; echo last >&2; exit 3", TransientError, Code.APP_CRASHED, "exit code 3; it said: first | last",
    ),
    "killed": ("kill -SEGV $$", TransientError, Code.APP_CRASHED, "SIGSEGV"),
    "hangs": ("sleep 60", TransientError, Code.APP_TIMED_OUT, "1 s"),
    "closes its output and hangs": ("exec >&-; sleep 60", TransientError, Code.APP_TIMED_OUT, "1 s"),
    "garbage": ("echo hello", TerminalError, Code.APP_BAD_OUTPUT, "not JSON"),
    "garbage before a crash": ("echo hello; exit 4", TransientError, Code.APP_CRASHED, "exit code 4"),
    "garbage before a refusal": ("echo hello; exit 65", TerminalError, Code.APP_REJECTED, "refuses"),
    "rows before a crash": ("echo '{}'; exit 1", TransientError, Code.APP_CRASHED, "exit code 1"),
    "endless output": ("""yes '{"a":1}'""", TerminalError, Code.APP_OUTPUT_TOO_LARGE, "stdout"),
    "endless report": ("yes '{' >&3", TerminalError, Code.APP_OUTPUT_TOO_LARGE, "report"),
    "kills its supervisor": ("kill -9 $PPID; sleep 60", TransientError, Code.APP_CRASHED, "supervisor"),
}  # fmt: skip


@pytest.mark.parametrize(("script", "kind", "code", "words"), ENDS.values(), ids=ENDS.keys())
def test_every_end_has_its_verdict(file: Path, script: str, kind: type[MysimbdpError], code: Code, words: str) -> None:
    limits = AppLimits(timeout_seconds=1, max_output_bytes=1_000_000, max_report_bytes=1_000_000)
    with pytest.raises(kind) as caught:
        run(shell(script), file, limits=limits)
    assert caught.value.problem.code is code
    assert words in caught.value.problem.what


OUTPUTS: dict[str, tuple[OutputKind, str, list[dict[str, object]]]] = {
    "nothing at all": ("jsonl", "exit 0", []),
    "JSON Lines": ("jsonl", """echo '{"a":"x","n":1.50,"_source":3}'""", [{"a": "x", "n": "1.50", "_source": 3}]),
    "CSV": ("csv", r"printf 'a,n,_source,_line\nx,1,3,4\n'", [{"a": "x", "n": "1", "_source": 3, "_line": 4}]),
    "CSV with a header alone": ("csv", r"printf 'a,n\n'", []),
    "no Arrow at all": ("arrow", "exit 0", []),
}


@pytest.mark.parametrize(("output", "script", "rows"), OUTPUTS.values(), ids=OUTPUTS.keys())
def test_rows_come_in_three_formats(file: Path, output: OutputKind, script: str, rows: list[dict[str, object]]) -> None:
    assert run(shell(script), file, output=output).rows == rows


def test_rows_come_as_arrow(file: Path) -> None:
    script = (
        "import sys, pyarrow as pa\nbatch = pa.record_batch({'a': ['x'], 'n': [1]})\n"
        "with pa.ipc.new_stream(pa.PythonFile(sys.stdout.buffer, 'w'), batch.schema) as out: out.write_batch(batch)"
    )
    assert run(python(script), file, output="arrow").rows == [{"a": "x", "n": 1}]


BAD_OUTPUTS: dict[str, tuple[OutputKind, str]] = {
    "random bytes for Arrow": ("arrow", "head -c 100000 /dev/urandom"),
    "an Arrow message of 2 GiB announced": ("arrow", r"printf '\xff\xff\xff\xff\xff\xff\xff\x7f'"),
    "Arrow metadata that is junk": ("arrow", r"printf '\xff\xff\xff\xff\x10\x00\x00\x00'; head -c 16 /dev/zero"),
    "a list for JSON Lines": ("jsonl", "echo '[1]'"),
    "a ragged CSV row": ("csv", r"printf 'a,n\n1\n'"),
    "bytes that are not UTF-8": ("csv", r"printf 'a,n\n\xff,1\n'"),
    "a column twice": ("csv", r"printf 'a,a\n1,2\n'"),
    "a record number that is none": ("csv", r"printf 'a,_source\n1,x\n'"),
}


@pytest.mark.parametrize(("output", "script"), BAD_OUTPUTS.values(), ids=BAD_OUTPUTS.keys())
def test_output_that_is_not_what_the_app_declares_is_its_own_fault(file: Path, output: OutputKind, script: str) -> None:
    with pytest.raises(TerminalError) as caught:
        run(shell(script), file, output=output)
    assert caught.value.problem.code is Code.APP_BAD_OUTPUT


def test_floods_on_stderr_and_report_do_not_block(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    flood = "yes e | head -c 2000000 >&2; yes r | head -c 2000000 >&3; echo '{}'"
    script = f"{flood}; {flood}"
    with caplog.at_level(logging.INFO, "app"):
        ran = run(shell(script), file)
    assert len(ran.rows) == 2
    assert ran.garbage == 2_000_000
    assert sum(len(record.getMessage()) for record in caplog.records) < 3_000_000
    assert "more bytes on stderr were left out" in caplog.text


def test_stderr_cannot_forge_log_lines(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "app"):
        run(shell(r"printf 'a\x1b[2Jb\rc\x85d\n' >&2"), file)
    assert [record.getMessage() for record in caplog.records] == [r"[test] a\x1b[2Jb\rc\ufffdd".replace(r"\ufffd", "�")]


def test_reported_rows_are_given_and_forged_ones_do_no_harm(file: Path) -> None:
    lines = [
        '{"event":"row_rejected","source":3,"line":9,"column":"n","value":"x","code":"VALUE_WRONG_TYPE","reason":"why"}',
        '{"event":"row_rejected","source":"; DROP","line":-1,"column":["x"],"code":"TENANT_UNKNOWN"}',
        '{"event":"row_rejected","source":1,"reason":"' + "x" * 30_000 + '"}',
        "{", "[]", "null", '{"event":"root"}', '{"event":["row_rejected"]}', "", "\\xff",
    ]  # fmt: skip
    ran = run(python(f"import os; os.write(3, {chr(10).join(lines).encode()!r} + b'\\n')"), file)
    assert [row.as_dict() for row in ran.rejected] == [
        {"source": 3, "line": 9, "column": "n", "value": "x", "code": "VALUE_WRONG_TYPE", "reason": "why"},
        {"column": '["x"]', "code": "ROW_REFUSED_BY_APP", "reason": "the app gave no reason"},
    ]
    assert ran.garbage == 7


def test_many_reported_rows_wait_on_disk(file: Path) -> None:
    script = (
        "import json\nwith open(3, 'w') as out:\n for n in range(200_000):\n"
        "  out.write(json.dumps({'event': 'row_rejected', 'source': n + 1, 'reason': 'r'}) + '\\n')"
    )
    assert [row.source for row in run(python(script), file).rejected] == list(range(1, 200_001))


def test_the_app_sees_only_what_it_should(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SECRET", "password")
    name = "a b\n$(x) é.csv"
    script = (
        "import json, os, resource, sys\n"
        "fds = sorted(int(n) for n in os.listdir('/proc/self/fd'))[:-1]\n"
        "status = open('/proc/self/status').read()\n"
        "print(json.dumps({'env': json.dumps(dict(os.environ)), 'fds': fds, 'argv': sys.argv[1:], 'cwd': os.getcwd(),"
        " 'nnp': 'NoNewPrivs:\\t1' in status, 'core': resource.getrlimit(resource.RLIMIT_CORE),"
        " 'as': resource.getrlimit(resource.RLIMIT_AS)[0], 'leader': os.getsid(0) == os.getpid(),"
        " 'stdin': os.readlink('/proc/self/fd/0')}))"
    )
    row = run(python(script), file, file_name=name, limits=AppLimits(max_memory_bytes=2**30)).rows[0]
    environment = json.loads(row["env"])
    environment.pop("LC_CTYPE", None)  # Python's own
    assert set(environment) == {
        "PATH", "LANG", "TZ", "HOME", "TMPDIR", "MYSIMBDP_TENANT", "MYSIMBDP_FILE_NAME", "MYSIMBDP_FORMAT",
        "MYSIMBDP_TABLE", "MYSIMBDP_SCHEMA", "MYSIMBDP_REPORT_FD",
    }  # fmt: skip
    assert environment["MYSIMBDP_FILE_NAME"] == name
    assert json.loads(environment["MYSIMBDP_SCHEMA"]) == {
        "columns": {
            "a": {"type": "text", "required": True, "from": None},
            "n": {"type": "int", "required": False, "from": "N"},
        },
        "key": ["a"],
    }
    assert row["fds"] == "[0,1,2,3]"
    assert row["argv"] == json.dumps([str(file)])
    assert row["cwd"] == environment["HOME"] == environment["TMPDIR"]
    assert not Path(row["cwd"]).exists()
    assert (row["nnp"], row["core"], row["as"], row["leader"]) == ("true", "[0,0]", str(2**30), "true")
    assert row["stdin"] == "/dev/null"


def test_memory_is_limited(file: Path) -> None:
    with pytest.raises(TransientError) as caught:
        run(python("x = bytearray(2**30)"), file, limits=AppLimits(max_memory_bytes=2**29))
    assert "MemoryError" in caught.value.problem.what


LEFT_BEHIND = {
    "a child": "sleep {0} & exit 0",
    "a child in a session of its own": "setsid sleep {0} & exit 0",
    "a daemon, forked twice": "(setsid bash -c 'sleep {0} & disown' &) ; exit 0",
    "a child that ignores signals": "bash -c \"trap '' TERM HUP INT; sleep {0}; sleep {0}\" & exit 0",
    "a child that holds the output open, when time is up": "setsid sleep {0} & sleep {0}",
}


def _alive(marker: str) -> list[int]:
    return [process.pid for process in psutil.process_iter(["cmdline"]) if marker in (process.info["cmdline"] or [])]


@pytest.mark.parametrize("script", LEFT_BEHIND.values(), ids=LEFT_BEHIND.keys())
def test_nothing_of_an_app_survives(file: Path, script: str) -> None:
    marker = f"{40_000 + os.getpid() / 1e7:.7f}"
    started = time.monotonic()
    with contextlib.suppress(TransientError):  # time is up
        run(shell(script.format(marker)), file, limits=AppLimits(timeout_seconds=0.5))
    assert _alive(marker) == []
    assert time.monotonic() - started < 10


def test_an_app_and_its_folder_die_with_the_platform(file: Path, tmp_path: Path) -> None:
    marker = f"{50_000 + os.getpid() / 1e7:.7f}"
    script = (
        "from pathlib import Path\nfrom tests.apps.running import run, shell\n"
        f"run(shell('setsid sleep {marker} & sleep {marker}'), Path({str(file)!r}))"
    )
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    platform = subprocess.Popen(
        [sys.executable, "-c", script], cwd=Path(__file__).parents[2], env={**os.environ, "TMPDIR": str(temporary)}
    )
    deadline = time.monotonic() + 20
    while len(_alive(marker)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(_alive(marker)) >= 2
    platform.kill()
    platform.wait()
    while (_alive(marker) or any(temporary.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _alive(marker) == []
    assert list(temporary.iterdir()) == []


def test_a_program_that_cannot_be_started_is_a_fault_of_the_app(file: Path) -> None:
    with pytest.raises(TerminalError) as caught:
        run(("/no/such/program",), file)
    assert caught.value.problem.code is Code.APP_INVALID


def test_time_the_platform_takes_is_not_charged_to_the_app(file: Path) -> None:
    lines = "import sys\nfor n in range(60_000): sys.stdout.write('{\"a\":\"%s\"}\\n' % ('x' * 100))"
    app = App("test", "1", "d", python(lines), "jsonl", None)
    rows = 0
    with run_app(
        app, tenant="atlas", input_path=file, file_name="x", file_format="csv", table_name="t", table=TABLE,
        limits=AppLimits(timeout_seconds=3), log=logging.getLogger("app"),
    ) as running:  # fmt: skip
        for batch in running.batches():
            rows += batch.num_rows
            time.sleep(1)
    assert rows == 60_000
