"""What a fault of Cassandra or of its driver means to us: worth another try, or not."""

from __future__ import annotations

import acsylla.errors as driver

from mysimbdp.errors import Code, Problem, TerminalError, TransientError

_OVERLOADED: tuple[type[Exception], ...] = (
    driver.CassErrorServerOverloaded,
    driver.CassErrorServerWriteTimeout,
    driver.CassErrorServerReadTimeout,
    driver.CassErrorServerWriteFailure,
    driver.CassErrorServerReadFailure,
    driver.CassErrorLibRequestQueueFull,
    driver.CassErrorLibNoStreams,
    driver.CassErrorLibRequestTimedOut,
)
"""It answers, but too slowly: send less at once and try again."""

_UNREACHABLE: tuple[type[Exception], ...] = (
    driver.CassErrorServerUnavailable,
    driver.CassErrorServerIsBootstrapping,
    driver.CassErrorServerServerError,  # e.g. a node shutting down
    driver.CassErrorServerTruncateError,
    driver.CassErrorLibNoHostsAvailable,
    driver.CassErrorLibHostResolution,
    driver.CassErrorLibUnableToConnect,
    driver.CassErrorLibUnableToClose,
    driver.CassErrorLibWriteError,
    driver.CassErrorLibUnexpectedResponse,
    driver.CassErrorLibNoAvailableIoThread,
    driver.CassErrorSslClosed,
)


def is_overload(error: BaseException) -> bool:
    """Whether `error` asks for fewer requests at once."""
    return isinstance(error, _OVERLOADED)


def fault_of(error: Exception) -> TransientError | TerminalError:
    """Our fault for an exception of the driver; `raise fault_of(error) from error`.

    Transient: COREDMS_OVERLOADED (slow, queue full), COREDMS_UNREACHABLE (no node, too few replicas).
    Terminal: SCHEMA_NOT_APPLIED (no such keyspace, table or column), COREDMS_REFUSED (all else: syntax, rights,
    credentials, a value that does not fit its column).
    """
    what = str(error) or type(error).__name__
    if is_overload(error):
        return TransientError(Problem(Code.COREDMS_OVERLOADED, what))
    if isinstance(error, _UNREACHABLE):
        return TransientError(Problem(Code.COREDMS_UNREACHABLE, what))
    if isinstance(error, driver.CassErrorServerInvalidQuery) and _names_a_missing_thing(what):
        return TerminalError(Problem(Code.SCHEMA_NOT_APPLIED, what))
    return TerminalError(Problem(Code.COREDMS_REFUSED, what))


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first of what went wrong in a group of tasks: the rest was cancelled or has the same reason."""
    first = group.exceptions[0]
    return first_of(first) if isinstance(first, BaseExceptionGroup) else first


def lacks_rights(fault: BaseException) -> bool:
    """Whether coredms refused because our role may not do it, which is no fault of the data."""
    return isinstance(fault.__cause__, driver.CassErrorServerUnauthorized | driver.CassErrorServerBadCredentials)


def _names_a_missing_thing(what: str) -> bool:
    words = ("does not exist", "Undefined column name", "unconfigured table", "not found in keyspace")
    return any(each in what for each in words)
