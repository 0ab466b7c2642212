"""The one error catalogue: every fault a customer or an operator can meet has a stable code here.

A `Problem` is an error as data: it goes into receipts, the ledger and tables. A `MysimbdpError` carries one
Problem and is raised where a function cannot go on. `Terminal` will fail the same way again; `Transient` is
worth another try.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import IntEnum, StrEnum
from typing import Any


class Code(StrEnum):
    """Stable error codes. A code is never renamed or given a second meaning."""

    # files: what the customer sent
    FILE_EMPTY = "FILE_EMPTY"
    FILE_DUPLICATE = "FILE_DUPLICATE"
    FILE_NO_ROWS = "FILE_NO_ROWS"
    FILE_NOT_REGULAR = "FILE_NOT_REGULAR"
    FILE_UNREADABLE = "FILE_UNREADABLE"
    FILE_STILL_GROWING = "FILE_STILL_GROWING"
    FILE_VANISHED = "FILE_VANISHED"
    FILE_ALREADY_SENT = "FILE_ALREADY_SENT"
    FILE_NAME_IN_USE = "FILE_NAME_IN_USE"
    FILE_IN_USE = "FILE_IN_USE"
    FILE_UNKNOWN = "FILE_UNKNOWN"
    FILE_AMBIGUOUS = "FILE_AMBIGUOUS"
    FILE_NOT_STORED = "FILE_NOT_STORED"
    FILE_TOO_LARGE = "FILE_TOO_LARGE"
    FILE_NAME_NOT_ALLOWED = "FILE_NAME_NOT_ALLOWED"
    FORMAT_NOT_ALLOWED = "FORMAT_NOT_ALLOWED"
    FORMAT_MISMATCH = "FORMAT_MISMATCH"
    ENCODING_INVALID = "ENCODING_INVALID"
    STRUCTURE_INVALID = "STRUCTURE_INVALID"
    HEADER_MISSING_COLUMN = "HEADER_MISSING_COLUMN"
    NO_TABLE_FOR_FILE = "NO_TABLE_FOR_FILE"
    QUOTA_FILES = "QUOTA_FILES"
    QUOTA_BYTES = "QUOTA_BYTES"
    TOO_MANY_REJECTED_ROWS = "TOO_MANY_REJECTED_ROWS"
    # rows
    ROW_RAGGED = "ROW_RAGGED"
    ROW_MALFORMED = "ROW_MALFORMED"
    VALUE_MISSING = "VALUE_MISSING"
    VALUE_WRONG_TYPE = "VALUE_WRONG_TYPE"
    VALUE_OUT_OF_RANGE = "VALUE_OUT_OF_RANGE"
    ROW_TOO_LARGE = "ROW_TOO_LARGE"
    ROW_REFUSED_BY_APP = "ROW_REFUSED_BY_APP"
    # the tenant's app
    APP_NOT_FOUND = "APP_NOT_FOUND"
    APP_REJECTED = "APP_REJECTED"
    APP_TRY_LATER = "APP_TRY_LATER"
    APP_CRASHED = "APP_CRASHED"
    APP_TIMED_OUT = "APP_TIMED_OUT"
    APP_BAD_OUTPUT = "APP_BAD_OUTPUT"
    APP_OUTPUT_TOO_LARGE = "APP_OUTPUT_TOO_LARGE"
    # configuration
    TENANT_INVALID = "TENANT_INVALID"
    TENANT_UNKNOWN = "TENANT_UNKNOWN"
    TENANT_EXISTS = "TENANT_EXISTS"
    TENANT_DISABLED = "TENANT_DISABLED"
    TENANT_IN_USE = "TENANT_IN_USE"
    APP_INVALID = "APP_INVALID"
    SCHEMA_INCOMPATIBLE = "SCHEMA_INCOMPATIBLE"
    SCHEMA_NOT_APPLIED = "SCHEMA_NOT_APPLIED"
    # the platform and its services
    LANDING_UNREADABLE = "LANDING_UNREADABLE"
    INPUT_DIRECTORY_UNREADABLE = "INPUT_DIRECTORY_UNREADABLE"
    STORAGE_FULL = "STORAGE_FULL"
    COREDMS_UNREACHABLE = "COREDMS_UNREACHABLE"
    COREDMS_OVERLOADED = "COREDMS_OVERLOADED"
    COREDMS_REFUSED = "COREDMS_REFUSED"
    COREDMS_RESTARTED = "COREDMS_RESTARTED"
    BULK_FAILED = "BULK_FAILED"
    AIRFLOW_UNREACHABLE = "AIRFLOW_UNREACHABLE"
    AIRFLOW_REFUSED = "AIRFLOW_REFUSED"
    CONNECTION_MISSING = "CONNECTION_MISSING"
    SERVICE_NOT_STARTED = "SERVICE_NOT_STARTED"
    PORT_IN_USE = "PORT_IN_USE"
    CLAIM_LOST = "CLAIM_LOST"
    STAGING_LOST = "STAGING_LOST"
    ARCHIVE_LOST = "ARCHIVE_LOST"
    KEYS_LOST = "KEYS_LOST"
    REPLAY_CHANGED = "REPLAY_CHANGED"
    ATTEMPTS_EXHAUSTED = "ATTEMPTS_EXHAUSTED"
    LEDGER_OUT_OF_BALANCE = "LEDGER_OUT_OF_BALANCE"


ADVICE: dict[Code, str] = {
    Code.FILE_EMPTY: "Send a file with at least one record.",
    Code.FILE_DUPLICATE: "Nothing to do: these very bytes are stored already.",
    Code.FILE_NO_ROWS: "The file has a header and nothing below it; send one with records.",
    Code.FILE_NOT_REGULAR: "Send an ordinary file; links, pipes, sockets and folders are not taken.",
    Code.FILE_UNREADABLE: "Make the file readable to the platform and send it again.",
    Code.FILE_STILL_GROWING: "Nothing to do: the file is taken once it has stopped changing.",
    Code.FILE_VANISHED: "The file was taken away before it was copied; send it again if that was a mistake.",
    Code.FILE_ALREADY_SENT: "Nothing to do; `fetchdata --again` sends it once more.",
    Code.FILE_NAME_IN_USE: "Another file of this name waits in the inbox; send this one once that was taken.",
    Code.FILE_IN_USE: "Try again once the run that works on it has ended; `mysimbdp ledger show` names it.",
    Code.FILE_UNKNOWN: "`mysimbdp ledger list` shows the files there are.",
    Code.FILE_AMBIGUOUS: "Name one of them by its ingest id.",
    Code.FILE_NOT_STORED: "Only a committed file with its receipt can be purged or replayed; send it again.",
    Code.FILE_TOO_LARGE: "Split the file below the per-file limit, or ask the provider for a higher one.",
    Code.FILE_NAME_NOT_ALLOWED: "Rename the file: letters, digits, dot, dash, underscore and spaces are safe.",
    Code.FORMAT_NOT_ALLOWED: "Send one of the formats named in allowed_file_format.",
    Code.FORMAT_MISMATCH: "The content is not what the name says; export the data again or rename the file.",
    Code.ENCODING_INVALID: "Save the file as UTF-8, or have the tenant file declare its encoding.",
    Code.STRUCTURE_INVALID: "Repair the file at the place named and send it again.",
    Code.HEADER_MISSING_COLUMN: "Add the missing column to the header, or make it optional in the tenant file.",
    Code.NO_TABLE_FOR_FILE: "Name the file as one of the tenant's routes expects, or add a route for it.",
    Code.QUOTA_FILES: "Purge stored files or ask the provider for a higher max_nb_files.",
    Code.QUOTA_BYTES: "Purge stored files or ask the provider for a higher max_file_size.",
    Code.TOO_MANY_REJECTED_ROWS: "Repair the rows listed beside the receipt and send the file again.",
    Code.ROW_RAGGED: "Give the record as many fields as the header has.",
    Code.ROW_MALFORMED: "Repair the record; the rest of the file is not affected.",
    Code.VALUE_MISSING: "Give the column a value; it is part of the key or declared required.",
    Code.VALUE_WRONG_TYPE: "Write the value in the form the column's type needs.",
    Code.VALUE_OUT_OF_RANGE: "Use a value that fits the column's type.",
    Code.ROW_TOO_LARGE: "Make the row smaller than the largest mutation coredms accepts.",
    Code.ROW_REFUSED_BY_APP: "See the app's reason; repair the record or the app.",
    Code.APP_NOT_FOUND: "Put the app's folder with an app.yaml below client_apps/<tenant>/.",
    Code.APP_REJECTED: "The tenant's app refused the file (exit code 65); see its reason.",
    Code.APP_TRY_LATER: "The tenant's app asked to be run later (exit code 75); nothing to do.",
    Code.APP_CRASHED: "See the app's last words in the task log; repair the app, then replay the file.",
    Code.APP_TIMED_OUT: "Make the app faster or ask the provider for a longer time limit.",
    Code.APP_BAD_OUTPUT: "The app wrote something that is not its declared output format; repair the app.",
    Code.APP_OUTPUT_TOO_LARGE: "The app wrote more than its output limit; repair the app or raise the limit.",
    Code.TENANT_INVALID: "Correct the tenant file at the line named; `mysimbdp tenants lint` checks it.",
    Code.TENANT_UNKNOWN: "`mysimbdp tenants list` shows the tenants there are.",
    Code.TENANT_EXISTS: "Choose another id.",
    Code.TENANT_DISABLED: "Nothing is lost: files wait in the inbox until `mysimbdp tenants enable` takes them.",
    Code.TENANT_IN_USE: "Let it end, or see --force and --discard-inbox in `mysimbdp tenants remove --help`.",
    Code.APP_INVALID: "Correct app.yaml at the line named.",
    Code.SCHEMA_INCOMPATIBLE: "Add a new column or a new table instead; Cassandra cannot change this one in place.",
    Code.SCHEMA_NOT_APPLIED: "Run `mysimbdp tenants apply`.",
    Code.INPUT_DIRECTORY_UNREADABLE: "Name a folder that exists and that you may read.",
    Code.LANDING_UNREADABLE: "Make the tenant's landing folder again, or give the platform the right to read it.",
    Code.STORAGE_FULL: "Free space on the platform's disk; the files wait meanwhile.",
    Code.COREDMS_UNREACHABLE: "Start Cassandra (`mysimbdp up`) or check the connection; files wait meanwhile.",
    Code.COREDMS_OVERLOADED: "Cassandra asks for less; the work is tried again by itself.",
    Code.COREDMS_REFUSED: "See Cassandra's message; the schema or the rights do not fit the request.",
    Code.COREDMS_RESTARTED: "Nothing to do: Cassandra was started anew in the middle; the step is repeated by itself.",
    Code.BULK_FAILED: "The bulk load is tried again by itself; take `bulk` out of the connection to do without it.",
    Code.AIRFLOW_UNREACHABLE: "Start Airflow (`mysimbdp up`) or check the connection mysimbdp_airflow.",
    Code.AIRFLOW_REFUSED: "See Airflow's message; check login and rights of the connection mysimbdp_airflow.",
    Code.CONNECTION_MISSING: "Define the Airflow connection named, e.g. by AIRFLOW_CONN_<NAME>.",
    Code.SERVICE_NOT_STARTED: "See the end of the service's log shown above.",
    Code.PORT_IN_USE: "Stop the program that holds the port, or set MYSIMBDP_PORT_OFFSET.",
    Code.CLAIM_LOST: "Nothing to do: another run took the file over.",
    Code.STAGING_LOST: "The platform's private copy is gone; send the file again.",
    Code.ARCHIVE_LOST: "The archived bytes are gone or damaged; have the customer send the file again.",
    Code.KEYS_LOST: "Replay the file, which archives its keys anew; then it can be purged.",
    Code.REPLAY_CHANGED: "If what changed is meant to be used, replay with `--force`.",
    Code.ATTEMPTS_EXHAUSTED: "See the reason of the last attempt; after repair, send the file again.",
    Code.LEDGER_OUT_OF_BALANCE: "See each discrepancy named by `mysimbdp audit`.",
}


class Exit(IntEnum):
    """Exit codes of the command line."""

    OK = 0
    NOT_WELL = 1
    """The thing asked about is not well: a file was rejected, a service is down, the audit found something."""
    USAGE = 2
    SERVICE_MISSING = 3
    INVALID_INPUT = 4
    """A tenant file, app file or argument's content is wrong; the message says where."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What happened, where, and what to do, as data."""

    code: Code
    what: str
    file: str | None = None
    line: int | None = None
    column: str | None = None
    value: str | None = None

    @property
    def advice(self) -> str:
        """What the reader can do about it."""
        return ADVICE[self.code]

    @property
    def where(self) -> str:
        """`file:line:column`, as far as it is known; empty when nothing is."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the fields that are known, plus the advice."""
        known = {key: value for key, value in asdict(self).items() if value is not None}
        return {**known, "code": str(self.code), "advice": self.advice}

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        return f"{self.code}: {self.what}{place}. {self.advice}"


class MysimbdpError(Exception):
    """A fault that carries its Problem; use one of the two kinds below."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class TerminalError(MysimbdpError):
    """Would fail the same way again: not retried."""


class TransientError(MysimbdpError):
    """May succeed on another try: retried with back-off, within bounds."""
