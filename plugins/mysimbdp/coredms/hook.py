"""Schema work goes through the Airflow provider's CassandraHook: a cassandra-driver session for a few statements."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mysimbdp.connections import COREDMS
from mysimbdp.errors import Code, MysimbdpError, Problem, TerminalError, TransientError

REQUEST_SECONDS = 30.0
"""A change of schema waits for every node to agree."""


@contextmanager
def hook_session() -> Iterator[Any]:
    """A cassandra-driver session to the connection mysimbdp_coredms; blocking, so never on an event loop.

    Raises:
        as named_faults, also for what happens inside the `with`.
    """
    # seconds of import, and Airflow's: only who changes a schema pays for it
    from airflow.providers.apache.cassandra.hooks.cassandra import CassandraHook  # noqa: PLC0415

    logging.getLogger("cassandra").setLevel(logging.ERROR)  # it narrates how it negotiates the protocol
    warnings.filterwarnings("ignore", message="Legacy execution parameters")  # the hook's choice, not ours
    hook = None
    try:
        with named_faults():
            hook = CassandraHook(COREDMS)
            session = hook.get_conn()
            session.default_timeout = REQUEST_SECONDS
            yield session
    finally:
        if hook is not None:
            hook.shutdown_cluster()


@contextmanager
def named_faults() -> Iterator[None]:
    """Turn cassandra-driver's exceptions into ours.

    Raises:
        TransientError: COREDMS_UNREACHABLE, COREDMS_OVERLOADED.
        TerminalError: COREDMS_REFUSED, SCHEMA_NOT_APPLIED (a keyspace or table is missing).
    """
    try:
        yield
    except Exception as error:
        fault = None if isinstance(error, MysimbdpError) else _fault_of(error)
        if fault is None:
            raise
        raise fault from error


def _fault_of(error: Exception) -> TransientError | TerminalError | None:
    import cassandra  # noqa: PLC0415  # see above
    from cassandra.cluster import NoHostAvailable  # noqa: PLC0415

    what = str(error)
    missing = "does not exist" in what or "unconfigured table" in what
    if isinstance(error, NoHostAvailable):
        causes = list(error.errors.values())
        if causes and all(isinstance(cause, cassandra.AuthenticationFailed) for cause in causes):
            return TerminalError(Problem(Code.COREDMS_REFUSED, str(causes[0])))
    if isinstance(error, NoHostAvailable | cassandra.Unavailable):
        return TransientError(Problem(Code.COREDMS_UNREACHABLE, what))
    if isinstance(error, cassandra.Timeout | cassandra.OperationTimedOut | cassandra.CoordinationFailure):
        return TransientError(Problem(Code.COREDMS_OVERLOADED, what))
    if isinstance(error, cassandra.DriverException):
        code = Code.SCHEMA_NOT_APPLIED if missing else Code.COREDMS_REFUSED
        return TerminalError(Problem(code, what))
    return None
