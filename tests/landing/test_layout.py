from __future__ import annotations

import stat
import uuid
from datetime import UTC, datetime

import pytest

from hostile_names import ALL
from mysimbdp.errors import Code, TerminalError
from mysimbdp.landing.layout import Landing, moment_of
from mysimbdp.settings import Settings

INGEST = uuid.UUID("7f0f9a80-c8a2-11f0-8de9-0242ac120002")


def test_folders_are_private(landing: Landing) -> None:
    for folder in (landing.inbox, landing.receipts, landing.rejected, landing.staging_root, landing.archive_root):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700


def test_making_them_again_changes_nothing(landing: Landing) -> None:
    landing.inbox.chmod(0o770)  # as an operator may have done
    landing.ensure()
    assert stat.S_IMODE(landing.inbox.stat().st_mode) == 0o770


@pytest.mark.parametrize("tenant", ["", "..", "a/b", "Acme", "1st", "a", "a" * 32, "acme\n"])
def test_an_id_that_is_none_leads_nowhere(settings: Settings, tenant: str) -> None:
    with pytest.raises(TerminalError) as caught:
        Landing(settings, tenant)
    assert caught.value.problem.code is Code.TENANT_UNKNOWN


@pytest.mark.parametrize("name", ["../secret", "..", "/etc/passwd"])
def test_a_name_cannot_lead_out_of_the_inbox(landing: Landing, name: str) -> None:
    with pytest.raises(TerminalError):
        landing.inbox_file(name)


@pytest.mark.parametrize("case", ALL)
def test_every_path_of_a_hostile_name_can_be_created(landing: Landing, case: str) -> None:
    name = ALL[case]
    for path in (
        landing.inbox_file(name),
        landing.staged_file(INGEST, name),
        landing.rejected_file(INGEST, name),
        landing.receipt_file(INGEST, name),
        landing.rejected_rows_file(INGEST, name),
        landing.archived_file(INGEST, name),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
        assert path.resolve().is_relative_to(landing.settings.home.resolve())


def test_names_beside_one_another_stay_readable(landing: Landing) -> None:
    assert landing.rejected_file(INGEST, "apps.csv").name == f"apps.{INGEST}.csv"
    assert landing.rejected_file(INGEST, "apps").name == f"apps.{INGEST}"
    assert landing.receipt_file(INGEST, "apps.csv").name == f"apps.csv.{INGEST}.json"
    assert landing.archived_file(INGEST, "Apps.CSV").name == f"{INGEST}.csv"


def test_the_archive_month_comes_from_the_ingest_id(landing: Landing) -> None:
    assert landing.archived_file(INGEST, "apps.csv").parent.name == f"{moment_of(INGEST):%Y-%m}"
    assert abs((moment_of(uuid.uuid1()) - datetime.now(tz=UTC)).total_seconds()) < 5


def test_an_id_without_a_time_is_an_error() -> None:
    with pytest.raises(ValueError, match="time-based"):
        moment_of(uuid.uuid4())
