"""Policy: what is not as it was when a file was ingested, so that a replay of its bytes may give other rows."""

from __future__ import annotations

from dataclasses import replace

from mysimbdp.apps.registry import App
from mysimbdp.coredms.keyfile import open_keys
from mysimbdp.landing.layout import Landing
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.record import FileRecord
from mysimbdp.settings import settings
from mysimbdp.tenants.model import Table, Tenant


async def changed_since(ledger: Ledger, tenant: Tenant, record: FileRecord, app: App) -> str | None:
    """What is not as it was at the ingest that `record` replays; None when nothing is, or it is no replay."""
    if record.replay_of is None:
        return None
    old = await ledger.files.find(replace(record, ingest_id=record.replay_of).ref)
    return None if old is None else differences(tenant, old, app)


def differences(tenant: Tenant, old: FileRecord, app: App) -> str | None:
    """What a replay of `old` by `app` and the tenant file of today would do otherwise; None: nothing."""
    keys = open_keys(Landing(settings(), tenant.tenant).archived_keys(old.ingest_id))
    found = changes(old, app, keys.table if keys else None, tenant.tables[old.table_name or ""])
    return "; ".join(found) or None


def changes(old: FileRecord, app: App, then: Table | None, now: Table) -> list[str]:
    """One sentence for each difference; empty when the same rows are to be expected.

    `then` is the table's definition kept with the keys of the old ingest; None: they are not there any more.
    """
    found: list[str] = []
    if old.app != app.name:
        found.append(f"the app was {old.app}, now it is {app.name}")
    elif old.app_version != app.version:
        found.append(f"the app {app.name} was version {old.app_version}, now it is {app.version}")
    elif old.app_digest != app.digest:
        found.append(f"the app {app.name} still says version {app.version}, but its files are others")
    if then is None:
        found.append(f"how the table {old.table_name} was defined is not known any more")
    elif then != now:
        found.extend(f"the table {old.table_name} {what}" for what in _table_changes(then, now))
    return found


def _table_changes(then: Table, now: Table) -> list[str]:
    found = [f"had the column {name}" for name in then.columns if name not in now.columns]
    found += [f"had no column {name}" for name in now.columns if name not in then.columns]
    both = [name for name in then.columns if name in now.columns]
    found += [f"defined the column {name} otherwise" for name in both if then.columns[name] != now.columns[name]]
    if (then.partition_key, then.clustering_key) != (now.partition_key, now.clustering_key):
        found.append("had another key")
    if then.lineage != now.lineage:
        found.append(f"kept {'' if then.lineage else 'no '}lineage")
    return found or ["was defined otherwise"]
