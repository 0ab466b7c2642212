"""Who may log in to Cassandra: the stock superuser gets a new password, the platform a role."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mysimbdp.onebox.ports import HOST, is_listening

if TYPE_CHECKING:
    from cassandra.cluster import Session

PLATFORM_ROLE = "mysimbdp"
SUPERUSER = "cassandra"
_STOCK_PASSWORD = "cassandra"  # noqa: S105  # what every new Cassandra node has; changed below
_ON_KEYSPACES = ("CREATE",)
"""Whoever creates a keyspace owns it. No right on the keyspaces of others: system_auth above all."""
_ON_ROLES = ("CREATE", "ALTER", "DROP", "AUTHORIZE", "DESCRIBE")


def why_not_ready(port: int, superuser_password: str, platform_password: str, *, host: str = HOST) -> str | None:
    """None once the platform's role can log in (it is made here when missing), else what is still missing."""
    if not is_listening(port, host=host):
        return "waiting for its port"
    from cassandra.cluster import NoHostAvailable  # noqa: PLC0415  # slow to import

    try:
        with _session(host, port, PLATFORM_ROLE, platform_password):
            return None
    except NoHostAvailable:
        pass
    for password in (superuser_password, _STOCK_PASSWORD):
        try:
            with _session(host, port, SUPERUSER, password) as session:
                _make_roles(session, superuser_password, platform_password)
                return None
        except NoHostAvailable:
            continue
    return "waiting for its roles"


def _make_roles(session: Session, superuser_password: str, platform_password: str) -> None:
    # Statements with a password never leave this process but to the node, which hides it in its own logs.
    # The role first and the superuser's password last: a run that dies in between is simply repeated.
    session.execute(
        f"CREATE ROLE IF NOT EXISTS {PLATFORM_ROLE} WITH LOGIN = true AND SUPERUSER = false "
        f"AND PASSWORD = '{platform_password}'"
    )
    session.execute(f"ALTER ROLE {PLATFORM_ROLE} WITH PASSWORD = '{platform_password}'")
    for permission in _ON_KEYSPACES:
        session.execute(f"GRANT {permission} ON ALL KEYSPACES TO {PLATFORM_ROLE}")
    for permission in _ON_ROLES:
        session.execute(f"GRANT {permission} ON ALL ROLES TO {PLATFORM_ROLE}")
    # The loader reads the node's batch limit there.
    session.execute(f"GRANT SELECT ON KEYSPACE system_views TO {PLATFORM_ROLE}")
    session.execute(f"ALTER ROLE {SUPERUSER} WITH PASSWORD = '{superuser_password}'")


@contextlib.contextmanager
def _session(host: str, port: int, user: str, password: str) -> Iterator[Session]:
    from cassandra.auth import PlainTextAuthProvider  # noqa: PLC0415
    from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile  # noqa: PLC0415
    from cassandra.policies import RoundRobinPolicy  # noqa: PLC0415

    # A refused login is an expected answer here, not something to put in front of the operator.
    logging.getLogger("cassandra").setLevel(logging.CRITICAL)
    cluster = Cluster(
        [host],
        port=port,
        auth_provider=PlainTextAuthProvider(user, password),
        protocol_version=5,
        connect_timeout=10,
        execution_profiles={EXEC_PROFILE_DEFAULT: ExecutionProfile(RoundRobinPolicy(), request_timeout=20)},
    )
    try:
        yield cluster.connect()
    finally:
        cluster.shutdown()
