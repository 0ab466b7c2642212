from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mysimbdp.landing.completeness import Seen, seen
from mysimbdp.landing.layout import Landing
from mysimbdp.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def landing(settings: Settings) -> Landing:
    made = Landing(settings, "acme")
    made.ensure()
    return made


@pytest.fixture
def drop(landing: Landing) -> Callable[..., Seen]:
    """Puts a file into the inbox and returns how it was seen."""

    def put(name: str, content: bytes = b"a,b\n1,2\n") -> Seen:
        path = landing.inbox / name
        path.write_bytes(content)
        return look(path)

    return put


def look(path: Path) -> Seen:
    return seen(path.name, os.lstat(path))


class CrashError(Exception):
    """The process ends here."""


def crash_at(name: str) -> Callable[[str], None]:
    """A step hook that ends the process at the step called `name`."""

    def step(reached: str) -> None:
        if reached == name:
            raise CrashError(name)

    return step
