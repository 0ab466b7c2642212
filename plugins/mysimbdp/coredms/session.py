"""One way to open coredms for the hot path: an acsylla session made from the Airflow connection."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import acsylla

from mysimbdp.connections import COREDMS, Connection, connection
from mysimbdp.coredms.faults import fault_of

CONNECT_SECONDS = 5.0
REQUEST_SECONDS = 12.0
RECONNECT_FIRST_MS = 200
RECONNECT_LONGEST_MS = 3_000


class _WorthSaying(logging.Filter):
    """Drops what the driver says of every connection and batch, and what is meant to be so.

    Built for ScyllaDB too, it warns that Cassandra has no shards; and it repeats the server's advice against large
    batches, whose size and shape batching.py chooses on purpose.
    """

    _KNOWN = ("SHARD-AWARENESS", "Server-side warning: Batch for", "Server-side warning: Unlogged batch covering")

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        return not any(known in message for known in self._KNOWN)


acsylla.get_logger().addFilter(_WorthSaying())


@asynccontextmanager
async def coredms_session(conn: Connection | None = None) -> AsyncIterator[Any]:
    """Open an acsylla session and close it at the end; it knows no keyspace: name tables in full.

    Keys of the connection's `extra` (all optional): `consistency` (LOCAL_QUORUM), `connect_timeout` and
    `request_timeout` (seconds), `local_dc`, `token_aware` (true when the connection names several hosts; it costs
    0.1 s of connecting, which a cluster of one node need not spend), `ssl_options` with `ca_certs`, `certfile`,
    `keyfile` (paths, as the provider's CassandraHook reads them too).

    Raises:
        TransientError: COREDMS_UNREACHABLE.
        TerminalError: COREDMS_REFUSED (credentials), CONNECTION_MISSING.
    """
    try:
        session = await _cluster(conn or connection(COREDMS)).create_session()
    except Exception as error:
        raise fault_of(error) from error
    try:
        yield session
    finally:
        await session.close()


def _cluster(conn: Connection) -> Any:
    extra = conn.extra
    hosts = [host.strip() for host in conn.host.split(",")]
    token_aware = bool(extra.get("token_aware", len(hosts) > 1))
    return acsylla.create_cluster(
        hosts,
        port=conn.port or 9042,
        username=conn.login or None,
        password=conn.password or None,
        connect_timeout=float(extra.get("connect_timeout", CONNECT_SECONDS)),
        request_timeout=float(extra.get("request_timeout", REQUEST_SECONDS)),
        consistency=extra.get("consistency", "LOCAL_QUORUM"),
        serial_consistency="LOCAL_SERIAL",
        load_balance_dc_aware=extra.get("local_dc"),
        token_aware_routing=token_aware,
        use_schema=token_aware,  # replicas are known from the schema's metadata
        exponential_reconnect_base_delay_ms=RECONNECT_FIRST_MS,
        exponential_reconnect_max_delay_ms=RECONNECT_LONGEST_MS,
        application_name="mysimbdp",
        **_tls(extra.get("ssl_options")),
    )


def _tls(options: dict[str, str] | None) -> dict[str, Any]:
    if not options:
        return {}

    def content(key: str) -> str | None:
        return Path(options[key]).read_text() if key in options else None

    return {
        "ssl_enabled": True,
        "ssl_trusted_cert": content("ca_certs"),
        "ssl_cert": content("certfile"),
        "ssl_private_key": content("keyfile"),
    }
