"""A tenant's keyspace as a whole: how much is in it, and its end. Blocking: for threads and command lines."""

from __future__ import annotations

from mysimbdp.coredms.hook import hook_session
from mysimbdp.coredms.identifiers import quoted

_MEBIBYTE = 1 << 20


def tables_of(keyspace: str) -> dict[str, int]:
    """Bytes on the disk of the node that answers, by table, to the mebibyte; what is in memory only is not in them.

    Raises:
        as hook_session.
    """
    tables = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = %s"
    usage = "SELECT table_name, mebibytes FROM system_views.disk_usage WHERE keyspace_name = %s ALLOW FILTERING"
    with hook_session() as session:
        names = [row.table_name for row in session.execute(tables, (keyspace,))]
        used = {row.table_name: row.mebibytes for row in session.execute(usage, (keyspace,))} if names else {}
        return {name: (used.get(name) or 0) * _MEBIBYTE for name in sorted(names)}


def drop_keyspace(keyspace: str) -> None:
    """Drop the keyspace with all its tables and rows, if it is there.

    A node with `auto_snapshot` keeps their files, until `auto_snapshot_ttl` or for ever.

    Raises:
        as hook_session.
    """
    there = "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = %s"
    with hook_session() as session:
        # Asked first: who owns the keyspaces it made has no right to drop one that is not there, IF EXISTS or not.
        if session.execute(there, (keyspace,)).one() is not None:
            session.execute(f"DROP KEYSPACE IF EXISTS {quoted(keyspace)}")
