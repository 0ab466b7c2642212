"""app.yaml: found, checked, and explained when it is wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.apps.test_builtin import TENANT

from mysimbdp.apps.registry import folder_digest, resolve_app
from mysimbdp.errors import Code, TerminalError
from mysimbdp.settings import settings

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.setenv("MYSIMBDP_CLIENT_APPS_DIR", str(tmp_path))
    settings.cache_clear()
    folder = tmp_path / "acme" / "clean"
    folder.mkdir(parents=True)
    (folder / "main.py").write_text("pass\n")
    (folder / "tool").write_text("#!/bin/sh\n")

    def manifest(text: str) -> Path:
        (folder / "app.yaml").write_text(text)
        return folder

    return manifest


@pytest.fixture(autouse=True)
def _fresh_settings() -> object:
    yield
    settings.cache_clear()


COMMANDS = {
    "the platform's Python": ("[python3, main.py, --fast]", [sys.executable, "-I", "<app>/main.py", "--fast"]),
    "a program in the folder": ("[./tool, x]", ["<app>/tool", "x"]),
    "a program in the folder by its name": ("[tool]", ["<app>/tool"]),
    "a program on PATH": ("[awk, -f, prog]", ["awk", "-f", "prog"]),
}


@pytest.mark.parametrize(("command", "argv"), COMMANDS.values(), ids=COMMANDS.keys())
def test_commands_are_resolved(write: Write, command: str, argv: list[str]) -> None:
    folder = write(f"command: {command}\noutput: csv\nversion: '2'\n")
    app = resolve_app(TENANT, "clean")
    assert list(app.argv) == [word.replace("<app>", str(folder.resolve())) for word in argv]
    assert (app.name, app.version, app.output, app.digest) == ("clean", "2", "csv", folder_digest(folder))


WRONG = {
    "unknown key": ("version: '1'\ncomand: [x]\ncommand: [awk]\n", 2, "did you mean 'command'?"),
    "no command": ("version: '1'\n", 1, "command"),
    "not YAML": ("version: '1'\ncommand: [x\n", None, "YAML"),
    "output unknown": ("version: '1'\ncommand: [awk]\noutput: xls\n", 3, "output"),
    "table unknown": ("version: '1'\ncommand: [awk]\ntables: [nope]\n", None, "'nope'"),
    "program missing": ("version: '1'\ncommand: [./nope]\n", None, "nope"),
    "out of the folder": ("version: '1'\ncommand: [../../x]\n", None, "leads out"),
}


@pytest.mark.parametrize(("text", "line", "words"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_manifest_is_explained(write: Write, text: str, line: int | None, words: str) -> None:
    write(text)
    with pytest.raises(TerminalError) as caught:
        resolve_app(TENANT, "clean")
    problem = caught.value.problem
    assert problem.code is Code.APP_INVALID
    assert problem.file
    assert problem.file.endswith("acme/clean/app.yaml")
    assert line is None or problem.line == line
    assert words in problem.what


def test_an_app_that_is_not_there_is_said_so(write: Write) -> None:
    write("version: '1'\ncommand: [awk]\n")
    with pytest.raises(TerminalError) as caught:
        resolve_app(TENANT, "other")
    assert caught.value.problem.code is Code.APP_NOT_FOUND


def test_the_digest_changes_with_any_file(write: Write) -> None:
    folder = write("version: '1'\ncommand: [awk]\n")
    before = folder_digest(folder)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert folder_digest(folder) == before
    (folder / "main.py").write_text("pass \n")
    assert folder_digest(folder) != before
