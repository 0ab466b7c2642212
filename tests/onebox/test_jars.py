"""Cassandra's jars are the ones this version was tested with, or the node is not started."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from mysimbdp.errors import TerminalError
from mysimbdp.onebox import jars


@pytest.fixture
def one_jar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A world in which Cassandra is one jar, and the digest kept for it is right."""
    jar = tmp_path / "cassandra-all.jar"
    jar.write_bytes(b"tested")
    monkeypatch.setattr(jars, "expected", lambda: {jar.name: hashlib.sha256(b"tested").hexdigest()})
    monkeypatch.setattr(jars, "_resolve", lambda _folder: [jar])
    return jar


def test_the_digests_kept_name_the_node_and_are_whole() -> None:
    kept = jars.expected()
    assert f"cassandra-all-{jars.CASSANDRA_VERSION}.jar" in kept
    assert all(len(digest) == 64 for digest in kept.values())


def test_jars_are_resolved_once(one_jar: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert jars.class_path(tmp_path) == [one_jar]
    monkeypatch.setattr(jars, "_resolve", lambda _folder: pytest.fail("resolved again"))
    assert jars.class_path(tmp_path) == [one_jar]


@pytest.mark.parametrize("content", [b"", b"tampered"])
def test_a_jar_that_is_not_the_tested_one_is_refused_by_name(one_jar: Path, tmp_path: Path, content: bytes) -> None:
    one_jar.write_bytes(content)
    with pytest.raises(TerminalError, match=r"not the expected ones: cassandra-all\.jar"):
        jars.class_path(tmp_path)


def test_a_cache_that_lost_a_jar_is_filled_again(one_jar: Path, tmp_path: Path) -> None:
    gone = str(tmp_path / "gone" / one_jar.name)
    (tmp_path / f"{jars.CASSANDRA_VERSION}.json").write_text(json.dumps([gone]))
    assert jars.class_path(tmp_path) == [one_jar]
