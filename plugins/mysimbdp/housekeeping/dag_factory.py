"""Makes the DAGs `housekeeping_audit` and `housekeeping_retention`, each once a day."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, BaseOperator, CronTriggerTimetable

from mysimbdp.housekeeping.operators import AuditEverything, PruneEverything

AUDIT = "housekeeping_audit"
RETENTION = "housekeeping_retention"
AUDIT_AT = "17 4 * * *"
RETENTION_AT = "47 2 * * *"
"""UTC, before the audit: what is wrong after it shows the same night."""


def audit_dag() -> DAG:
    """Red when anything is not as it must be."""
    doc = "Runs `mysimbdp audit` for every tenant and looks for what is left of tenants that are gone."
    return _daily(AUDIT, AUDIT_AT, doc, AuditEverything, "audit")


def retention_dag() -> DAG:
    """Prunes what the tenant files' `retention` gives up."""
    doc = "Removes what is older than the tenant files' `retention` says; `mysimbdp housekeeping retention --dry-run`."
    return _daily(RETENTION, RETENTION_AT, doc, PruneEverything, "prune")


def _daily(dag_id: str, cron: str, doc: str, operator: type[BaseOperator], task_id: str) -> DAG:
    # No start date: the first run is at the next time of day, not at once for the one that has passed.
    with DAG(
        dag_id,
        schedule=CronTriggerTimetable(cron, timezone="UTC", run_immediately=timedelta(0)),
        catchup=False,
        max_active_runs=1,
        tags=["mysimbdp", "housekeeping"],
        doc_md=doc,
        default_args={"owner": "mysimbdp", "retries": 2, "retry_delay": timedelta(minutes=1)},
    ) as dag:
        operator(task_id=task_id)
    return dag
