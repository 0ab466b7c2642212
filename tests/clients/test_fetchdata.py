from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid1

import pytest
import typer
from typer.testing import CliRunner

from hostile_names import ALL, REFUSED, WELCOME
from mysimbdp.cli import fetchdata as command
from mysimbdp.clients.fetchdata import Fetchdata, Fetched
from mysimbdp.clients.landing_folder import LandingFolder
from mysimbdp.clients.sent import SentLog
from mysimbdp.errors import Code, Exit
from mysimbdp.landing.layout import Landing
from mysimbdp.landing.names import safe_label
from mysimbdp.landing.receipts import Receipt, write_receipt
from mysimbdp.settings import Settings, settings
from mysimbdp.tenants.model import Constraints, FolderSource, Table, Tenant

TENANT = Tenant(
    tenant="acme",
    constraints=Constraints(max_nb_files=100, max_file_size=1, allowed_file_format=["csv", "jsonl"]),
    tables={"apps": Table.model_validate({"columns": {"name": "text"}})},
)


@dataclass
class Customer:
    """A customer's machine and the landing it sends to."""

    folder: Path
    landing: Landing
    state: Path
    tenant: Tenant = TENANT

    def program(self) -> Fetchdata:
        way = LandingFolder(self.landing.inbox.parent)
        return Fetchdata(self.tenant, self.folder, way, SentLog(self.state, self.tenant.tenant, way.address))

    def fetch(self, *, again: bool = False) -> dict[str, Fetched]:
        program = self.program()
        fetched = program.send(program.choose(again=again, settle_seconds=0), lambda _seen, _count: None)
        return {file.seen.name: file for file in fetched}

    def has(self, name: str, content: bytes = b"name\nx\n") -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def limited_to(self, **limits: Any) -> None:
        constraints = Constraints.model_validate({**TENANT.constraints.model_dump(), **limits})
        self.tenant = TENANT.model_copy(update={"constraints": constraints})

    @property
    def inbox(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.landing.inbox.iterdir()}

    def platform_takes(self, outcome: str = "committed", code: Code | None = None) -> None:
        """What the platform does: every file leaves the inbox and gets a receipt."""
        for path in list(self.landing.inbox.iterdir()):
            now = datetime.now(tz=UTC)
            size = path.stat().st_size
            receipt = Receipt.model_validate(
                {
                    "tenant": "acme", "ingest_id": uuid1(), "file": safe_label(path.name), "bytes": size,
                    "outcome": outcome, "code": code, "seconds": 1, "received_at": now, "finished_at": now,
                }
            )  # fmt: skip
            write_receipt(self.landing, receipt, name=path.name)
            path.unlink()


@pytest.fixture
def customer(tmp_path: Path) -> Customer:
    (tmp_path / "exports").mkdir()
    landing = Landing(Settings(home=tmp_path / "home"), "acme")
    landing.ensure()
    return Customer(tmp_path / "exports", landing, tmp_path / "state")


@pytest.mark.parametrize("case", WELCOME)
def test_an_unusual_name_arrives_as_it_is(customer: Customer, case: str) -> None:
    customer.has(WELCOME[case], b"x")
    assert customer.fetch()[WELCOME[case]].sent
    assert customer.inbox == {WELCOME[case]: b"x"}


@pytest.mark.parametrize("case", REFUSED)
def test_a_name_the_platform_refuses_is_not_sent(customer: Customer, case: str) -> None:
    customer.has(REFUSED[case])
    file = customer.fetch()[REFUSED[case]]
    assert not file.eligible
    assert file.problem is not None
    assert file.problem.code is Code.FILE_NAME_NOT_ALLOWED
    assert file.label.isprintable()
    assert customer.inbox == {}


def put_link_out(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def put_link_in(path: Path) -> None:
    (path.parent / "real.csv").write_text("x")
    path.symlink_to("real.csv")


INELIGIBLE: dict[str, tuple[str, Callable[[Path], object], Code]] = {
    "foreign format": ("a.xlsx", lambda path: path.write_text("x"), Code.FORMAT_NOT_ALLOWED),
    "format not allowed": ("a.xml", lambda path: path.write_text("x"), Code.FORMAT_NOT_ALLOWED),
    "empty": ("a.csv", Path.touch, Code.FILE_EMPTY),
    "too large": ("a.csv", lambda path: path.write_bytes(b"x" * 1_000_001), Code.FILE_TOO_LARGE),
    "temporary": ("a.csv.part", lambda path: path.write_text("x"), Code.FILE_STILL_GROWING),
    "hidden": (".a.csv", lambda path: path.write_text("x"), Code.FILE_STILL_GROWING),
    "link out of the folder": ("a.csv", put_link_out, Code.FILE_NOT_REGULAR),
    "link in the folder": ("a.csv", put_link_in, Code.FILE_NOT_REGULAR),
    "pipe": ("a.csv", os.mkfifo, Code.FILE_NOT_REGULAR),
    "folder": ("a.csv", Path.mkdir, Code.FILE_NOT_REGULAR),
}


@pytest.mark.parametrize("case", INELIGIBLE)
def test_what_is_not_eligible_stays_and_is_told_why_and_stops_no_other(customer: Customer, case: str) -> None:
    name, put, code = INELIGIBLE[case]
    put(customer.folder / name)
    customer.has("good.csv")
    fetched = customer.fetch()
    problem = fetched[name].problem
    assert problem is not None
    assert problem.code is code
    assert not fetched[name].eligible
    assert not fetched[name].went_wrong
    assert fetched["good.csv"].sent
    assert name not in customer.inbox


def test_a_growing_file_waits(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    path = customer.has("a.csv", b"1")
    monkeypatch.setattr("time.sleep", lambda _: path.write_bytes(b"12"))
    problem = customer.fetch()["a.csv"].problem
    assert problem is not None
    assert problem.code is Code.FILE_STILL_GROWING
    monkeypatch.undo()
    assert customer.fetch()["a.csv"].sent


def meanwhile(customer: Customer, action: Callable[[], object]) -> Fetched:
    """Send what was found, after `action` has happened between choosing and sending."""
    program = customer.program()
    verdicts = program.choose(settle_seconds=0)
    action()
    return program.send(verdicts, lambda _seen, _count: None)[0]


def test_a_file_deleted_after_it_was_chosen_is_said_to_be_gone(customer: Customer) -> None:
    file = meanwhile(customer, customer.has("a.csv").unlink)
    assert file.problem is not None
    assert file.problem.code is Code.FILE_VANISHED
    assert file.went_wrong


def test_a_file_changed_after_it_was_chosen_is_not_sent_half(customer: Customer) -> None:
    path = customer.has("a.csv")
    file = meanwhile(customer, lambda: path.write_bytes(b"other bytes"))
    assert file.problem is not None
    assert file.problem.code is Code.FILE_STILL_GROWING
    assert customer.inbox == {}


def test_an_unreadable_file_is_told(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root reads everything, so the refusal is the system call's. tests/landing has a process without rights."""
    customer.has("a.csv")
    real = os.open

    def forbidden(path: Any, *more: Any, **named: Any) -> int:
        if str(path).endswith("exports/a.csv"):
            raise PermissionError(13, "Permission denied")
        return real(path, *more, **named)

    monkeypatch.setattr(os, "open", forbidden)
    problem = customer.fetch()["a.csv"].problem
    assert problem is not None
    assert problem.code is Code.FILE_UNREADABLE


def test_the_customers_files_are_never_changed(customer: Customer) -> None:
    for case, name in ALL.items():
        customer.has(name, case.encode())
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode) for path in files(customer)}
    customer.fetch()
    assert before == {
        path.name: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode) for path in files(customer)
    }


def files(customer: Customer) -> Iterator[Path]:
    return customer.folder.iterdir()


def test_the_same_bytes_are_sent_once(customer: Customer) -> None:
    customer.has("a.csv", b"same")
    customer.has("b.csv", b"same")
    fetched = customer.fetch()
    assert sorted(file.sent for file in fetched.values()) == [False, True]
    customer.platform_takes()
    assert not any(file.sent for file in customer.fetch().values())
    assert customer.inbox == {}


def test_a_file_with_new_content_under_an_old_name_is_sent(customer: Customer) -> None:
    customer.has("a.csv", b"old")
    customer.fetch()
    customer.platform_takes()
    customer.has("a.csv", b"new")
    assert customer.fetch()["a.csv"].sent
    assert customer.inbox == {"a.csv": b"new"}


def test_again_sends_once_more(customer: Customer) -> None:
    customer.has("a.csv")
    customer.fetch()
    customer.platform_takes()
    assert customer.fetch(again=True)["a.csv"].sent


def test_a_file_waiting_in_the_inbox_is_never_overwritten(customer: Customer) -> None:
    customer.has("a.csv", b"old")
    customer.fetch()
    customer.has("a.csv", b"new")
    file = customer.fetch()["a.csv"]
    assert file.problem is not None
    assert file.problem.code is Code.FILE_NAME_IN_USE
    assert file.went_wrong
    assert customer.inbox == {"a.csv": b"old"}
    customer.platform_takes()
    assert customer.fetch()["a.csv"].sent


def test_where_there_are_no_hard_links_a_rename_does(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    customer.has("a.csv", b"1")
    assert customer.fetch()["a.csv"].sent
    customer.has("a.csv", b"2")
    assert not customer.fetch()["a.csv"].sent
    assert customer.inbox == {"a.csv": b"1"}


def test_what_went_to_one_landing_is_unknown_to_another(customer: Customer, tmp_path: Path) -> None:
    customer.has("a.csv")
    customer.fetch()
    customer.landing = Landing(Settings(home=tmp_path / "other"), "acme")
    customer.landing.ensure()
    assert customer.fetch()["a.csv"].sent


def test_a_torn_line_in_the_memory_does_no_harm(customer: Customer) -> None:
    customer.has("a.csv")
    customer.fetch()
    log = next(customer.state.glob("*.jsonl"))
    log.write_text(log.read_text() + '{"file": "b.c')
    assert not customer.fetch()["a.csv"].sent


def test_more_files_than_there_is_room_for_are_kept_back(customer: Customer) -> None:
    customer.limited_to(max_nb_files=2)
    for number in range(3):
        os.utime(customer.has(f"{number}.csv", str(number).encode()), (number, number))
    fetched = customer.fetch()
    assert [fetched[f"{number}.csv"].sent for number in range(3)] == [True, True, False]
    problem = fetched["2.csv"].problem
    assert problem is not None
    assert problem.code is Code.QUOTA_FILES


def test_more_bytes_than_there_is_room_for_are_kept_back(customer: Customer) -> None:
    customer.limited_to(max_file_size=0.000010)
    os.utime(customer.has("a.csv", b"123456"), (1, 1))
    os.utime(customer.has("b.csv", b"12345"), (2, 2))
    os.utime(customer.has("c.csv", b"1234"), (3, 3))
    fetched = customer.fetch()
    assert [fetched[name].sent for name in ("a.csv", "b.csv", "c.csv")] == [True, False, True]


@pytest.mark.parametrize(("outcome", "room"), [("committed", False), ("rejected", True), ("duplicate", True)])
def test_room_is_what_committed_files_leave(customer: Customer, outcome: str, room: bool) -> None:
    customer.limited_to(max_nb_files=1)
    customer.has("a.csv", b"1")
    customer.fetch()
    customer.platform_takes(outcome)
    customer.has("b.csv", b"2")
    assert customer.fetch()["b.csv"].sent is room


def test_files_without_a_receipt_yet_take_room_too(customer: Customer) -> None:
    customer.limited_to(max_nb_files=1)
    customer.has("a.csv", b"1")
    customer.fetch()
    for path in customer.landing.inbox.iterdir():
        path.unlink()  # taken, and being ingested
    customer.has("b.csv", b"2")
    assert not customer.fetch()["b.csv"].sent


def test_the_marker_follows_where_the_tenant_asks_for_one(customer: Customer) -> None:
    customer.tenant = TENANT.model_copy(update={"source": FolderSource(done_marker=True)})
    customer.has("a.csv", b"1")
    customer.fetch()
    assert customer.inbox == {"a.csv": b"1", "a.csv.done": b""}


def test_a_landing_that_cannot_be_written_to_is_told(customer: Customer) -> None:
    customer.landing.inbox.rmdir()
    customer.has("a.csv")
    file = customer.fetch()["a.csv"]
    assert file.problem is not None
    assert file.problem.code is Code.LANDING_UNREADABLE
    assert file.went_wrong


def test_following_ends_with_the_receipts_and_passes_over_old_ones(customer: Customer) -> None:
    customer.has("a.csv")
    customer.fetch()
    customer.platform_takes("rejected", Code.FILE_NO_ROWS)
    program = customer.program()
    fetched = program.send(program.choose(again=True, settle_seconds=0), lambda _seen, _count: None)
    assert [file.receipt for file in program.follow(fetched, timeout_seconds=0)] == [None]
    customer.platform_takes()
    followed = program.follow(fetched, timeout_seconds=5)
    assert followed[0].receipt is not None
    assert followed[0].receipt.outcome == "committed"


# The command line


YAML = """\
tenant: acme
constraints: {max_nb_files: 10, max_file_size: 1, allowed_file_format: [csv]}
tables:
  apps:
    columns: {name: text}
"""


@pytest.fixture
def run(
    customer: Customer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[..., tuple[int, str]]]:
    (tmp_path / "tenants" / "acme").mkdir(parents=True)
    (tmp_path / "tenants" / "acme" / "tenant.yaml").write_text(YAML)
    monkeypatch.setenv("MYSIMBDP_HOME", str(customer.landing.settings.home))
    monkeypatch.setenv("MYSIMBDP_TENANTS_DIR", str(tmp_path / "tenants"))
    settings.cache_clear()
    app = typer.Typer()
    command.mount(app)

    def invoke(*words: str) -> tuple[int, str]:
        given = ["--tenant", "acme", "--from", str(customer.folder), "--settle", "0", *words]
        result = CliRunner().invoke(app, given)
        code = result.exit_code
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return code, result.stdout

    yield invoke
    settings.cache_clear()


def test_everything_eligible_sent_is_success_although_some_are_not(customer: Customer, run: Any) -> None:
    customer.has("a.csv")
    customer.has("[red]a.xlsx")
    code, text = run()
    assert code == Exit.OK
    assert "[red]a.xlsx" in text
    assert "FORMAT_NOT_ALLOWED" in text
    assert list(customer.inbox) == ["a.csv"]


def test_json_holds_every_fact(customer: Customer, run: Any) -> None:
    customer.has("a.csv", b"1")
    customer.has("a.xlsx")
    code, text = run("--json")
    assert code == Exit.OK
    rows = {row["file"]: row for row in json.loads(text)}
    assert rows["a.csv"]["sent"] is True
    assert rows["a.csv"]["bytes"] == 1
    assert len(rows["a.csv"]["sha256"]) == 64
    assert rows["a.xlsx"]["code"] == "FORMAT_NOT_ALLOWED"
    assert rows["a.xlsx"]["advice"]


def test_dry_run_sends_nothing(customer: Customer, run: Any) -> None:
    customer.has("a.csv")
    assert run("--dry-run", "--json")[0] == Exit.OK
    assert customer.inbox == {}
    assert not customer.state.exists()


def test_what_could_not_be_sent_is_exit_code_1(customer: Customer, run: Any) -> None:
    customer.has("a.csv", b"1")
    run()
    customer.has("a.csv", b"2")
    assert run()[0] == Exit.NOT_WELL


def test_no_receipt_in_time_is_exit_code_1(customer: Customer, run: Any) -> None:
    customer.has("a.csv")
    assert run("--wait", "--timeout", "0")[0] == Exit.NOT_WELL


def test_a_folder_that_is_not_there_is_exit_code_4(customer: Customer, run: Any) -> None:
    customer.folder.rmdir()
    assert run()[0] == Exit.INVALID_INPUT


def test_a_folder_of_ones_own_choice_can_be_sent_to(customer: Customer, run: Any, tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "inbox").mkdir(parents=True)
    customer.has("a.csv")
    assert run("--to", str(tmp_path / "elsewhere"))[0] == Exit.OK
    assert (tmp_path / "elsewhere" / "inbox" / "a.csv").exists()
    assert customer.inbox == {}
