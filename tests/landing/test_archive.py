from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from mysimbdp.errors import Code, TerminalError
from mysimbdp.landing.archive import archive
from mysimbdp.landing.layout import Landing

INGEST = UUID("7f0f9a80-c8a2-11f0-8de9-0242ac120002")


@pytest.fixture
def staged(landing: Landing) -> Path:
    path = landing.staged_file(INGEST, "a.csv")
    path.parent.mkdir(parents=True)
    path.write_text("1")
    return path


def test_a_committed_file_is_kept(landing: Landing, staged: Path) -> None:
    place = archive(staged, landing.archived_file(INGEST, "a.csv"), home=landing.settings.home)
    assert place.read_text() == "1"
    assert place.parent.stat().st_mode & 0o777 == 0o700
    assert not staged.exists()


def test_archiving_again_is_fine(landing: Landing, staged: Path) -> None:
    target = landing.archived_file(INGEST, "a.csv")
    archive(staged, target, home=landing.settings.home)
    assert archive(staged, target, home=landing.settings.home).read_text() == "1"


def test_a_lost_copy_is_said_to_be_lost(landing: Landing, staged: Path) -> None:
    staged.unlink()
    with pytest.raises(TerminalError) as caught:
        archive(staged, landing.archived_file(INGEST, "a.csv"), home=landing.settings.home)
    assert caught.value.problem.code is Code.STAGING_LOST
