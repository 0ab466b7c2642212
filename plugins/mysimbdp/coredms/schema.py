"""Brings keyspaces, user types and tables to what the tenant files say. Idempotent, and one at a time for each tenant.

The fingerprint of what was applied is kept in the ledger's table `schemas`, so that a task sees with one point read
that nothing is to do.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import socket
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any

import acsylla

from mysimbdp.connections import COREDMS, connection
from mysimbdp.coredms.faults import fault_of
from mysimbdp.coredms.hook import hook_session, named_faults
from mysimbdp.coredms.shape import Change, Shape, Verdict, compare, create_keyspace, understood
from mysimbdp.coredms.usertypes import Fields, compare_type
from mysimbdp.errors import Code, Problem, TerminalError, TransientError
from mysimbdp.tenants.cqltypes import CqlType
from mysimbdp.tenants.model import Tenant
from mysimbdp.tenants.usertypes import user_types_in

SCHEMAS = "mysimbdp.schemas"
LOCK_SECONDS = 120
"""A lock whose holder died is free after this."""
LOCK_POLL_SECONDS = 0.25
_TABLE_NAME = re.compile(r"CREATE TABLE IF NOT EXISTS\s+\"?\w+\"?\.\"?(\w+)", re.IGNORECASE)
_COLUMN = re.compile(r"^ +(\w+) (\w[\w<>, ]*?)(?: PRIMARY KEY)?,?$", re.MULTILINE)
"""A column with its type (and `static`) in a statement that has one a line."""


def fingerprint(tenant: Tenant) -> str:
    """A digest of all that decides the tenant's schema in coredms; the same for the same tables."""
    shapes = {name: _texts(table.cql_columns) for name, table in sorted(tenant.tables.items())}
    types = {name: list(_texts(fields).items()) for name, fields in sorted(tenant.types.items())}
    keys = {name: [table.cql_partition_key, table.cql_clustering_key] for name, table in tenant.tables.items()}
    facts = json.dumps([tenant.keyspace, shapes, keys, *([types] if types else [])], sort_keys=True)
    return hashlib.sha256(facts.encode()).hexdigest()[:32]


def _texts(types: Mapping[str, CqlType]) -> dict[str, str]:
    return {name: str(cql) for name, cql in types.items()}


async def ensure_tenant(session: Any, tenant: Tenant) -> None:
    """Make sure the tenant's tables are what its file says: one point read by acsylla when they are.

    Raises:
        TransientError: COREDMS_UNREACHABLE, COREDMS_OVERLOADED.
        TerminalError: SCHEMA_INCOMPATIBLE, SCHEMA_NOT_APPLIED (the ledger has no tables yet), COREDMS_REFUSED.
    """
    wanted = fingerprint(tenant)
    query = f"SELECT fingerprint FROM {SCHEMAS} WHERE tenant = ?"
    try:
        row = (await session.execute(acsylla.create_statement(query, [tenant.tenant]))).first()
    except Exception as error:
        raise fault_of(error) from error
    if row is None or row["fingerprint"] != wanted:
        await asyncio.to_thread(apply_tenant, tenant)


def apply_tenant(tenant: Tenant, *, dry_run: bool = False, shared_session: Any = None) -> list[Change]:
    """Create or extend the tenant's keyspace, types and tables; returns what was changed, or would be with `dry_run`.

    Nothing is changed when any type or table has an incompatible change. `shared_session` is a hook_session to use
    again where many tenants are applied; without one it opens its own.

    Raises:
        TerminalError: SCHEMA_INCOMPATIBLE (names table or type, column or field, old and new), SCHEMA_NOT_APPLIED (the
            ledger has no tables yet: apply_ledger comes first), COREDMS_REFUSED.
        TransientError: COREDMS_UNREACHABLE, COREDMS_OVERLOADED.
    """
    with nullcontext(shared_session) if shared_session else hook_session() as session, named_faults():
        if dry_run:
            return _plan(session, tenant)
        with _lock(session, tenant):
            changes = _plan(session, tenant)
            _carry_out(session, changes)
            return changes


def apply_ledger(keyspace: str, tables: Sequence[str], *, dry_run: bool = False) -> list[Change]:
    """Create the platform's own keyspace and `tables` (CREATE TABLE IF NOT EXISTS statements, a column a line) where
    missing, and add the columns that an earlier version's tables lack.

    Raises:
        TerminalError: COREDMS_REFUSED.
        TransientError: COREDMS_UNREACHABLE, COREDMS_OVERLOADED.
    """
    with hook_session() as session:
        changes = _missing_keyspace(session, keyspace)
        for cql in tables:
            found = _TABLE_NAME.search(cql)
            if found is None:
                raise ValueError(f"not a CREATE TABLE IF NOT EXISTS statement: {cql[:60]!r}")
            existing = _existing(session, keyspace, found[1])
            if existing is None:
                changes.append(Change(keyspace, found[1], None, "create table", cql=cql))
                continue
            for name, kind in _COLUMN.findall(cql):
                if name not in existing.types:
                    alter = f"ALTER TABLE {keyspace}.{found[1]} ADD IF NOT EXISTS {name} {kind}"
                    changes.append(Change(keyspace, found[1], name, "add column", kind, alter))
        if not dry_run:
            _carry_out(session, changes)
        return changes


def _plan(session: Any, tenant: Tenant) -> list[Change]:
    existing = {name: _existing(session, tenant.keyspace, name) for name in tenant.tables}
    keyed = {
        used
        for name, table in tenant.tables.items()
        if existing[name]
        for column in table.cql_partition_key
        for used in user_types_in(table.cql_columns[column])
    }
    verdicts: list[Verdict] = [
        compare_type(
            tenant.keyspace,
            name,
            fields,
            _existing_type(session, tenant.keyspace, name),
            in_partition_key=name in keyed,
        )
        for name, fields in tenant.types.items()
    ]
    verdicts += [
        compare(tenant.keyspace, name, Shape.declared(table), existing[name]) for name, table in tenant.tables.items()
    ]
    problems = [problem for verdict in verdicts for problem in verdict.problems]
    if problems:
        raise TerminalError(problems[0])
    return _missing_keyspace(session, tenant.keyspace) + [c for verdict in verdicts for c in verdict.changes]


def _carry_out(session: Any, changes: Sequence[Change]) -> None:
    for change in changes:
        if change.cql:
            session.execute(change.cql)  # the driver waits until the nodes agree on the schema


def _existing(session: Any, keyspace: str, table: str) -> Shape | None:
    query = (
        "SELECT column_name, kind, position, type FROM system_schema.columns"
        " WHERE keyspace_name = %s AND table_name = %s"
    )
    rows = sorted(session.execute(query, (keyspace, table)), key=lambda row: row.position)
    if not rows:
        return None
    return Shape(
        {row.column_name: understood(row.type) for row in rows},
        [row.column_name for row in rows if row.kind == "partition_key"],
        [row.column_name for row in rows if row.kind == "clustering"],
    )


def _existing_type(session: Any, keyspace: str, name: str) -> Fields | None:
    query = "SELECT field_names, field_types FROM system_schema.types WHERE keyspace_name = %s AND type_name = %s"
    row = session.execute(query, (keyspace, name)).one()
    if row is None:
        return None
    return {
        field: understood(text, covered=True)
        for field, text in zip(row.field_names or [], row.field_types or [], strict=True)
    }


def _missing_keyspace(session: Any, keyspace: str) -> list[Change]:
    query = "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = %s"
    if session.execute(query, (keyspace,)).one() is not None:
        return []
    return [create_keyspace(keyspace, _replication(session))]


def _replication(session: Any) -> dict[str, Any]:
    """From the connection's extra `replication`, else by the number of nodes in the local data centre."""
    chosen = connection(COREDMS).extra.get("replication")
    if isinstance(chosen, dict):
        return chosen
    here = session.execute("SELECT data_center FROM system.local").one().data_center
    peers = [row.data_center for row in session.execute("SELECT data_center FROM system.peers_v2")]
    if not peers:
        return {"class": "SimpleStrategy", "replication_factor": 1}
    return {"class": "NetworkTopologyStrategy", here: min(3, 1 + peers.count(here))}


@contextmanager
def _lock(session: Any, tenant: Tenant) -> Iterator[None]:
    """Hold the tenant's lock; leaving without an exception writes the fingerprint down in the same step."""
    holder = f"{socket.gethostname()} {uuid.uuid4()}"
    take = f"UPDATE {SCHEMAS} USING TTL {LOCK_SECONDS} SET applying = %s WHERE tenant = %s IF applying = null"
    deadline = time.monotonic() + LOCK_SECONDS
    while not session.execute(take, (holder, tenant.tenant)).one()[0]:
        if time.monotonic() > deadline:
            what = f"another process has been changing the schema of {tenant.tenant} for {LOCK_SECONDS} s"
            raise TransientError(Problem(Code.COREDMS_OVERLOADED, what))
        time.sleep(LOCK_POLL_SECONDS)
    try:
        yield
    except BaseException:
        give_back = f"UPDATE {SCHEMAS} SET applying = null WHERE tenant = %s IF applying = %s"
        session.execute(give_back, (tenant.tenant, holder))
        raise
    done = f"UPDATE {SCHEMAS} SET fingerprint = %s, applied_at = %s, applying = null WHERE tenant = %s IF applying = %s"
    session.execute(done, (fingerprint(tenant), datetime.now(UTC), tenant.tenant, holder))
