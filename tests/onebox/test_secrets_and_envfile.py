"""What is secret is made once and read by its owner alone; the environment file says the same to shell and Python."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from mysimbdp.onebox import envfile, secrets

AWKWARD = {
    "PLAIN": "word",
    "EMPTY": "",
    "JSON": '{"login": "a", "password": "p\'q\\"r"}',
    "DOLLAR": "$HOME `id` $(id) \\ !",
    "SPACES": "  two  spaces  ",
    "LINES": "one\ntwo # not a comment",
    "EQUALS": "a=b=c",
}


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_made_once_and_stay(tmp_path: Path) -> None:
    first = secrets.load_or_make(tmp_path)
    assert secrets.load_or_make(tmp_path) == first
    assert len(set(first.model_dump().values())) == len(first.model_dump()), "no two secrets are the same"


def test_two_oneboxes_share_no_secret(tmp_path: Path) -> None:
    one, other = (secrets.load_or_make(tmp_path / name) for name in ("one", "other"))
    assert not set(one.model_dump().values()) & set(other.model_dump().values())


def test_a_secrets_file_of_an_older_version_keeps_what_it_has_and_gets_what_it_lacks(tmp_path: Path) -> None:
    secrets.write_private(tmp_path / "secrets.json", '{"postgres": "kept"}')
    found = secrets.load_or_make(tmp_path)
    assert found.postgres == "kept"
    assert secrets.load_or_make(tmp_path) == found


def test_secrets_do_not_show_in_repr(tmp_path: Path) -> None:
    found = secrets.load_or_make(tmp_path)
    assert not [value for value in found.model_dump().values() if value in repr(found)]


def test_files_with_secrets_belong_to_their_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        secrets.load_or_make(tmp_path)
        envfile.write(tmp_path / "env", AWKWARD)
    finally:
        os.umask(before)
    assert _mode(tmp_path / "secrets.json") == 0o600
    assert _mode(tmp_path / "env") == 0o600


def test_a_file_that_was_open_to_others_is_closed_when_written_again(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text("")
    path.chmod(0o644)
    envfile.write(path, AWKWARD)
    assert _mode(path) == 0o600


def test_python_reads_back_what_was_written(tmp_path: Path) -> None:
    envfile.write(tmp_path / "env", AWKWARD)
    assert envfile.read(tmp_path / "env") == AWKWARD


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_shell_reads_the_same(tmp_path: Path, shell: str) -> None:
    path = tmp_path / "env"
    envfile.write(path, AWKWARD)
    for key, value in AWKWARD.items():
        said = subprocess.run(
            [shell, "-c", f'set -a; . "$0"; set +a; printf %s "${key}"', str(path)],
            check=True,
            capture_output=True,
            text=True,
        )
        assert said.stdout == value


def test_what_is_already_set_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    envfile.write(tmp_path / "env", {"MYSIMBDP_T_SET": "file", "MYSIMBDP_T_NEW": "file"})
    monkeypatch.setenv("MYSIMBDP_T_SET", "caller")
    monkeypatch.setenv("MYSIMBDP_T_NEW", "to be removed after the test")
    monkeypatch.delenv("MYSIMBDP_T_NEW")
    envfile.load(tmp_path / "env")
    assert os.environ["MYSIMBDP_T_SET"] == "caller"
    assert os.environ["MYSIMBDP_T_NEW"] == "file"


def test_no_file_means_no_variables(tmp_path: Path) -> None:
    assert envfile.read(tmp_path / "missing") == {}
