"""What the end of an app means for its file."""

from __future__ import annotations

import signal

from mysimbdp.errors import Code, MysimbdpError, Problem, TerminalError, TransientError

DONE, BAD_DATA, TRY_LATER = 0, 65, 75


def verdict(exit_code: int, said: Problem | None, last_words: str) -> MysimbdpError | None:
    """Return the error an app's end stands for, or None when it is done.

    `exit_code` is negative for a signal; `said` is the problem it reported, `last_words` the end of its stderr.
    """
    if exit_code == DONE:
        return None
    words = f"; it said: {last_words}" if last_words else ""
    if exit_code == BAD_DATA:
        return TerminalError(said or Problem(Code.APP_REJECTED, f"the app refuses the file{words}"))
    if exit_code == TRY_LATER:
        reason = f": {said.what}" if said else words
        return TransientError(Problem(Code.APP_TRY_LATER, f"the app wants to be run later{reason}"))
    how = f"ended with exit code {exit_code}" if exit_code > 0 else f"was killed by {_signal(-exit_code)}"
    return TransientError(Problem(Code.APP_CRASHED, f"the app {how}{words}"))


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
