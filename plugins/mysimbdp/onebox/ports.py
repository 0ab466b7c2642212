"""Which TCP ports the onebox uses, and who holds one that is taken."""

from __future__ import annotations

import contextlib
import errno
import socket
from dataclasses import dataclass

import psutil

from mysimbdp.errors import Code, Problem, TerminalError

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    """The onebox's ports; all of them listen on 127.0.0.1 only. PostgreSQL has none: it listens on a unix socket."""

    airflow: int
    cassandra_native: int
    cassandra_storage: int
    cassandra_jmx: int

    @classmethod
    def at(cls, offset: int) -> Ports:
        """The ports moved up by `offset`, so that several oneboxes live on one machine."""
        return cls(
            airflow=8080 + offset,
            cassandra_native=9042 + offset,
            cassandra_storage=7000 + offset,
            cassandra_jmx=7199 + offset,
        )


def is_listening(port: int, timeout: float = 0.5, host: str = HOST) -> bool:
    """Whether something accepts connections on the port."""
    try:
        with socket.create_connection((host, port), timeout):
            return True
    except OSError:
        return False


def holder(port: int) -> str:
    """The program that listens on `port`, as `pid 123 (java)`; a plain guess where the kernel does not tell."""
    with contextlib.suppress(psutil.AccessDenied):
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status != psutil.CONN_LISTEN or getattr(connection.laddr, "port", None) != port:
                continue
            if connection.pid is not None:
                with contextlib.suppress(psutil.NoSuchProcess):
                    return f"pid {connection.pid} ({psutil.Process(connection.pid).name()})"
    return "a program of another user"


def require_free(port: int, wanted_by: str) -> None:
    """Make sure `port` can be bound on the loopback address.

    Raises:
        TerminalError: PORT_IN_USE, naming the pid and the program that hold it.
    """
    with socket.socket() as server:
        # As the servers themselves do: a connection of a predecessor in TIME_WAIT is no obstacle.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((HOST, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                taken = f"port {port}, which {wanted_by} needs, is held by {holder(port)}"
                raise TerminalError(Problem(Code.PORT_IN_USE, taken)) from error
            raise
