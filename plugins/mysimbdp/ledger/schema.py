"""The ledger's tables. One partition of `files` holds all that was ever done with the same bytes of a tenant."""

from __future__ import annotations

LEDGER_KEYSPACE = "mysimbdp"

FILES = f"""
CREATE TABLE IF NOT EXISTS {LEDGER_KEYSPACE}.files (
    tenant text,
    sha256 text,
    ingest_id timeuuid,
    live_ingest timeuuid static,
    holder text static,
    name text,
    size bigint,
    state text,
    run_id text,
    table_name text,
    file_format text,
    app text,
    app_version text,
    app_digest text,
    write_timestamp bigint,
    attempts int,
    failures int,
    rows_read bigint,
    rows_written bigint,
    rows_repeated bigint,
    rows_rejected bigint,
    bytes_written bigint,
    seconds map<text, double>,
    problem text,
    duplicate_of timeuuid,
    received_at timestamp,
    claimed_at timestamp,
    finished_at timestamp,
    archived text,
    replay_of timeuuid,
    displaced timeuuid,
    changed text,
    rows_purged bigint,
    purge_begun_at timestamp,
    purged_at timestamp,
    pruned set<text>,
    PRIMARY KEY ((tenant, sha256), ingest_id)
) WITH comment = 'live_ingest: the claim on these bytes; holder: a lease with a TTL; both by LWT'
"""

ARRIVALS = f"""
CREATE TABLE IF NOT EXISTS {LEDGER_KEYSPACE}.arrivals (
    tenant text,
    month text,
    ingest_id timeuuid,
    sha256 text,
    PRIMARY KEY ((tenant, month), ingest_id)
) WITH CLUSTERING ORDER BY (ingest_id DESC) AND comment = 'every file ever received, in order of arrival'
"""

MONTHS = f"""
CREATE TABLE IF NOT EXISTS {LEDGER_KEYSPACE}.months (
    tenant text,
    month text,
    PRIMARY KEY (tenant, month)
) WITH comment = 'which partitions of arrivals a tenant has'
"""

# Rows come and go with every file: a short gc_grace keeps the tombstones few. A row that a lost replica
# brings back is harmless: whoever reads it looks at `files` and settles it again.
PENDING = f"""
CREATE TABLE IF NOT EXISTS {LEDGER_KEYSPACE}.pending (
    tenant text,
    ingest_id timeuuid,
    sha256 text,
    name text,
    run_id text,
    replay_of timeuuid,
    PRIMARY KEY (tenant, ingest_id)
) WITH gc_grace_seconds = 3600 AND comment = 'received, but its receipt is not written yet'
"""

QUOTAS = f"""
CREATE TABLE IF NOT EXISTS {LEDGER_KEYSPACE}.quotas (
    tenant text,
    files_used bigint static,
    bytes_used bigint static,
    ingest_id timeuuid,
    bytes bigint,
    forgotten bigint,
    PRIMARY KEY (tenant, ingest_id)
) WITH comment = 'one row a stored file; the sums change with it; forgotten: write timestamp, its record is gone'
"""

SCHEMAS = f"""
CREATE TABLE IF NOT EXISTS {LEDGER_KEYSPACE}.schemas (
    tenant text PRIMARY KEY,
    fingerprint text,
    applied_at timestamp,
    applying text
) WITH comment = 'which version of a tenant''s tables is applied; applying: a lock with a TTL'
"""

BARRIER = f"""
CREATE TABLE IF NOT EXISTS {LEDGER_KEYSPACE}.barrier (
    id int PRIMARY KEY,
    passed_at timestamp
) WITH comment = 'one row, written to learn that a lone node has synced all before it: see coredms/durability.py'
"""

SWITCHES = f"""
CREATE TABLE IF NOT EXISTS {LEDGER_KEYSPACE}.switches (
    tenant text PRIMARY KEY,
    state text,
    reason text,
    since timestamp
) WITH comment = 'tenants that are switched off; no row: the tenant is served'
"""

LEDGER_TABLES: list[str] = [FILES, ARRIVALS, MONTHS, PENDING, QUOTAS, SCHEMAS, BARRIER, SWITCHES]
