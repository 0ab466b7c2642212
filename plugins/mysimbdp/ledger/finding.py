"""Finds files by what a person calls them: ingest id, sha256 or its beginning, or name."""

from __future__ import annotations

from mysimbdp.errors import Code, Problem, TerminalError
from mysimbdp.landing.names import safe_label
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.record import FileRecord

SHORTEST_DIGEST = 6


def answers_to(record: FileRecord, wanted: str) -> bool:
    """True when `wanted` names this file."""
    if wanted in {str(record.ingest_id), record.name}:
        return True
    return len(wanted) >= SHORTEST_DIGEST and record.sha256.startswith(wanted)


async def find_stored(ledger: Ledger, tenant: str, wanted: str) -> list[FileRecord]:
    """The committed ingests of the one content that `wanted` names, newest first: itself and its replays; also
    purged ones. By an ingest id it is that ingest alone.

    Raises:
        TerminalError: FILE_UNKNOWN; FILE_NOT_STORED, nothing of that name was committed; FILE_AMBIGUOUS, several
            files of other content were.
    """
    named = [record for record in await ledger.records(tenant) if answers_to(record, wanted)]
    if not named:
        raise TerminalError(Problem(Code.FILE_UNKNOWN, f"{tenant} has no file {wanted!r}"))
    stored = [record for record in named if record.state == "committed"]
    if not stored:
        states = ", ".join(sorted({str(record.state) for record in named}))
        raise TerminalError(Problem(Code.FILE_NOT_STORED, f"it is {states}", file=wanted))
    if len({record.sha256 for record in stored}) > 1:
        ids = ", ".join(str(record.ingest_id) for record in stored[:10])
        what = f"{len(stored)} committed files answer to it, the newest are {ids}"
        raise TerminalError(Problem(Code.FILE_AMBIGUOUS, what, file=wanted))
    return stored


def replayable(stored: list[FileRecord]) -> FileRecord:
    """Of the ingests of one content the one a replay repeats: that which has the claim, else the newest.

    Raises:
        TerminalError: FILE_NOT_STORED, another ingest has the bytes by now.
    """
    for record in stored:
        if record.holds_claim:
            return record
    newest = stored[0]
    if newest.live_ingest is not None:
        what = f"its bytes are those of ingest {newest.live_ingest} by now: replay that one"
        raise TerminalError(Problem(Code.FILE_NOT_STORED, what, file=safe_label(newest.name)))
    return newest
