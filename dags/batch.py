"""Generates watch_inboxes and one batch_<tenant> for each tenant file (DAG discovery looks for: airflow, dag)."""

from airflow.sdk import get_parsing_context

from mysimbdp.batchingestmanager.dag_factory import WATCH_INBOXES, batch_dag, broken_dag, watch_dag
from mysimbdp.settings import settings
from mysimbdp.tenants.store import load_tenants

# At the start of a task Airflow needs that task's DAG alone.
wanted = get_parsing_context().dag_id

if wanted in (None, WATCH_INBOXES):
    globals()[WATCH_INBOXES] = watch_dag()

if wanted != WATCH_INBOXES:
    only = wanted.removeprefix("batch_") if wanted else None
    store = load_tenants(settings().tenants_dir, only=only)
    for tenant in sorted(store.valid.values(), key=lambda found: found.tenant):
        globals()[tenant.dag_id] = batch_dag(tenant)
    for tenant_id, problems in sorted(store.broken.items()):
        globals()[f"batch_{tenant_id}"] = broken_dag(tenant_id, problems)
