"""Whatever a customer sends at once, in one inbox: each file has its own outcome, and none stops another."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.hostile_names import REFUSED, WELCOME

from mysimbdp.batchingestmanager import intake
from mysimbdp.errors import Code
from mysimbdp.landing.names import safe_label
from mysimbdp.landing.receipts import Receipt
from mysimbdp.landing.staging import take_copy

from .capabilities import without_reading_all
from .customers import Customer

pytestmark = pytest.mark.onebox

Row = tuple[int | None, str | None]
JUNK = random.Random(7).randbytes(5000)  # noqa: S311  # the same junk each time


@dataclass(frozen=True)
class Case:
    """A file, and what must become of it. `rows` are those in coredms; `refused` (line, code) of rejected rows."""

    name: str
    content: bytes
    code: Code | None = None
    rows: list[Row] = field(default_factory=list)
    refused: list[tuple[int, Code]] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        return "rejected" if self.code else "committed"


def csv(*lines: str, end: str = "\n", start: str = "") -> bytes:
    return (start + end.join(["id,word", *lines]) + end).encode()


CASES: dict[str, Case] = {
    "good": Case("good.csv", csv("1,one", "2,two"), None, [(1, "one"), (2, "two")]),
    "empty": Case("empty.csv", b"", Code.FILE_EMPTY),
    "header only": Case("header-only.csv", csv(), Code.FILE_NO_ROWS),
    "blank lines only": Case("blank.csv", b"\n\n\n", Code.FILE_EMPTY),
    "wrong extension": Case("apps.exe", csv("3,three"), Code.FORMAT_NOT_ALLOWED),
    "no extension": Case("README", csv("4,four"), Code.FORMAT_NOT_ALLOWED),
    "format not allowed": Case("apps.parquet", b"PAR1", Code.FORMAT_NOT_ALLOWED),
    "no table for it": Case("x-nowhere.csv", csv("5,five"), Code.NO_TABLE_FOR_FILE),
    "too large": Case("huge.csv", csv(f"6,{'x' * 600_000}"), Code.FILE_TOO_LARGE),
    "binary junk": Case("junk.csv", JUNK, Code.FORMAT_MISMATCH),
    "a picture": Case("picture.csv", b"\x89PNG\r\n\x1a\n" + JUNK, Code.FORMAT_MISMATCH),
    "a spreadsheet": Case("sheet.csv", b"PK\x03\x04" + JUNK, Code.FORMAT_MISMATCH),
    "wrong encoding": Case("latin.csv", "id,word\n7,caf\xe9\n".encode("latin-1"), Code.ENCODING_INVALID),
    "UTF-16": Case("utf16.csv", "id,word\n8,eight\n".encode("utf-16"), None, [(8, "eight")]),
    "byte order mark": Case("bom.csv", csv("9,nine", start="\ufeff"), None, [(9, "nine")]),
    "CRLF": Case("crlf.csv", csv("10,ten", "11,eleven", end="\r\n"), None, [(10, "ten"), (11, "eleven")]),
    "no newline at the end": Case("cut.csv", csv("12,twelve")[:-1], None, [(12, "twelve")]),
    "ragged rows": Case(
        "ragged.csv",
        csv("13,thirteen", "14", "15,fifteen,and more", "16,sixteen"),
        None,
        [(13, "thirteen"), (16, "sixteen")],
        [(3, Code.ROW_RAGGED), (4, Code.ROW_RAGGED)],
    ),
    "quoted newlines": Case(
        "quoted.csv", csv('17,"two\nlines"', "x,after", '18,"a ""b"", c"'), None,
        [(17, "two\nlines"), (18, 'a "b", c')], [(4, Code.VALUE_WRONG_TYPE)],
    ),
    "an open quote": Case("open-quote.csv", csv('19,"never closed', "20,twenty"), Code.STRUCTURE_INVALID),
    "a required column missing": Case("headless.csv", b"word\nnineteen\n", Code.HEADER_MISSING_COLUMN),
    "byte order mark, required column missing": Case(
        "bom-headless.csv", "\ufeffnumber,word\n1,one\n".encode(), Code.HEADER_MISSING_COLUMN
    ),
    "a required value missing": Case(
        "gap.csv", csv(",none", "21,twenty-one"), None, [(21, "twenty-one")], [(2, Code.VALUE_MISSING)]
    ),
    "a value out of range": Case(
        "range.csv", csv("9223372036854775808,big", "22,ok"), None, [(22, "ok")], [(2, Code.VALUE_OUT_OF_RANGE)]
    ),
    "every row bad": Case("all-bad.csv", csv("a,b", "c,d"), Code.TOO_MANY_REJECTED_ROWS),
    "tab-separated": Case("tabs.txt", b"id\tword\n23\ttwenty-three\n", None, [(23, "twenty-three")]),
    "JSON": Case("a.json", b'[{"id": 24, "word": "json"}, {"id": 25}]', None, [(24, "json"), (25, None)]),
    "JSON cut off": Case("cut.json", b'[{"id": 26, "word": "cut"}, {"id"', Code.STRUCTURE_INVALID),
    "JSON that is CSV": Case("lie.json", csv("27,lie"), Code.FORMAT_MISMATCH),
    "JSON lines": Case(
        "a.jsonl", b'{"id": 28, "word": "lines"}\nnot json\n{"id": 29}\n', None, [(28, "lines"), (29, None)],
        [(2, Code.ROW_MALFORMED)],
    ),
    "XML": Case(
        "a.xml", b"<rows><row><id>30</id><word>x &amp; y</word></row></rows>", None, [(30, "x & y")]
    ),
    "XML cut off": Case("cut.xml", b"<rows><row><id>31</id></row>", Code.STRUCTURE_INVALID),
    "XML with entities": Case(
        "bomb.xml", b'<!DOCTYPE r [<!ENTITY a "b">]><rows><row><id>32</id><word>&a;</word></row></rows>',
        Code.STRUCTURE_INVALID,
    ),
    **{
        f"name with {what}": Case(name, csv(f"{number},{what}"), None, [(number, what)])
        for number, (what, name) in enumerate(WELCOME.items(), 100)
    },
    **{
        f"name with {what}": Case(name, csv(f"{number},{what}"), Code.FILE_NAME_NOT_ALLOWED)
        for number, (what, name) in enumerate(REFUSED.items(), 200)
    },
    "name with bytes of no encoding": Case(os.fsdecode(b"\xff\\xff.csv"), csv("300,ff"), Code.FILE_NAME_NOT_ALLOWED),
    "name with the letters of such bytes": Case(r"\xff.csv", csv("301,letters"), None, [(301, "letters")]),
    "unreadable": Case("unreadable.csv", csv("302,secret"), Code.FILE_UNREADABLE),
}  # fmt: skip


def _link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def _inner_link(path: Path) -> None:
    path.symlink_to("good.csv")


def _folder(path: Path) -> None:
    path.mkdir()
    (path / "inner.csv").write_bytes(csv("900,inner"))


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(path.parent)  # the path of a socket is short
        try:
            listener.bind(path.name)
        finally:
            os.chdir(here)


STRANGERS: dict[str, tuple[str, str, Callable[[Path], object]]] = {
    "link out of the inbox": ("link.csv", "symbolic link", _link),
    "link within the inbox": ("inner-link.csv", "symbolic link", _inner_link),
    "named pipe": ("pipe.csv", "named pipe", os.mkfifo),
    "folder": ("folder.csv", "folder", _folder),
    "socket": ("socket.csv", "socket", _socket),
}


@dataclass(frozen=True)
class Sent:
    """The customer after everything was sent and one run is over."""

    customer: Customer
    receipts: dict[str, Receipt]
    runs: int


@pytest.fixture(scope="module")
def sent(reader: Any) -> Sent:
    """Everything dropped at once, one run."""
    customer = Customer.make(
        reader,
        constraints={
            "max_nb_files": 1000, "max_file_size": 100, "max_mb_per_file": 0.5,
            "allowed_file_format": ["csv", "txt", "json", "jsonl", "xml"],
        },
        tables={"events": {"columns": {"id": {"type": "bigint", "required": True}, "word": "text"}}},
        batch={"routes": [{"files": ["[!x]*"], "table": "events"}]},
    )  # fmt: skip
    for case in CASES.values():
        customer.drop(case.name, case.content)
    for name, _, make in STRANGERS.values():
        make(customer.landing.inbox / name)
    (customer.landing.inbox / "unreadable.csv").chmod(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intake, "take_copy", without_reading_all(take_copy))
        settled = customer.run()
    return Sent(customer, {receipt.file: receipt for receipt in customer.receipts()}, len(settled))


@pytest.mark.parametrize("scenario", CASES)
def test_a_file(sent: Sent, scenario: str) -> None:
    case, customer = CASES[scenario], sent.customer
    receipt = sent.receipts[safe_label(case.name)]
    assert (receipt.outcome, receipt.code) == (case.outcome, case.code), receipt.reason
    assert receipt.advice if case.code else receipt.reason is None
    assert [(row["id"], row["word"]) for row in customer.rows(case.content)] == sorted(case.rows)
    if case.code is None:
        assert (receipt.rows_read, receipt.rows_written) == (len(case.rows) + len(case.refused), len(case.rows))
        assert receipt.rows_rejected == len(case.refused)
        assert [(row.line, row.code) for row in receipt.first_rejected_rows] == case.refused
        assert bool(receipt.rejected_rows_file) == bool(case.refused)
    else:
        assert (receipt.rows_written, receipt.rows_rejected) == (0, receipt.rows_read)
        assert receipt.moved_to
        assert (customer.landing.rejected / receipt.moved_to).read_bytes() == case.content


@pytest.mark.parametrize("scenario", STRANGERS)
def test_no_file(sent: Sent, scenario: str) -> None:
    name, kind, _ = STRANGERS[scenario]
    receipt = sent.receipts[name]
    assert (receipt.outcome, receipt.code) == ("rejected", Code.FILE_NOT_REGULAR)
    assert kind in (receipt.reason or "")
    if scenario == "folder":
        assert receipt.moved_to
        assert (sent.customer.landing.rejected / receipt.moved_to / "inner.csv").exists()
    else:
        assert receipt.moved_to is None


def test_nothing_outside_was_touched(sent: Sent) -> None:
    assert Path("/etc/passwd").read_text().startswith("root")


def test_each_had_one_verdict_in_one_run(sent: Sent) -> None:
    assert sent.runs == len(CASES) + len(STRANGERS) == len(sent.receipts)
    sent.customer.at_rest()


def test_only_good_rows_landed(sent: Sent) -> None:
    expected = sorted(row for case in CASES.values() for row in case.rows)
    assert sorted((row["id"], row["word"]) for row in sent.customer.rows()) == expected


def test_committed_bytes_are_archived(sent: Sent) -> None:
    by_label = {safe_label(case.name): case for case in CASES.values()}
    for record in sent.customer.records():
        if record.state == "committed":
            assert record.archived
            archived = sent.customer.landing.settings.archive_dir / record.archived
            assert archived.read_bytes() == by_label[safe_label(record.name)].content


def test_names_come_back_from_the_ledger_exactly(sent: Sent) -> None:
    names = {case.name for case in CASES.values()} | {name for name, _, _ in STRANGERS.values()}
    assert {record.name for record in sent.customer.records()} == names


def test_the_log_has_a_line_for_each(sent: Sent) -> None:
    assert "was correctly ingested" in sent.customer.log_lines("ragged.csv")[-1]
    assert "Problem while ingesting junk.csv: FORMAT_MISMATCH" in sent.customer.log_lines("junk.csv")[-1]
    forged = sent.customer.log_lines(REFUSED["newline"])[-1]
    assert forged.startswith("2")
    assert "Problem while ingesting a.csv\\n" in forged
