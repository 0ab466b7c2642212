"""Makes the DAGs: `watch_inboxes` for the platform, `batch_<tenant>` for each tenant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from airflow.sdk import DAG

from mysimbdp.batchingestmanager.operators import (
    Ingest,
    Record,
    SenseInputDirectory,
    ShowBrokenTenantFile,
    Validate,
    WatchInboxes,
)
from mysimbdp.errors import Problem
from mysimbdp.tenants.model import Tenant
from mysimbdp.tenants.names import dag_id_of

# Fixed: a constructor that differs from parse to parse would make a new DAG version each time.
START = datetime(2026, 1, 1, tzinfo=timezone.utc)  # noqa: UP017  # Airflow serialises this zone by name
RETRIES = 3
FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(minutes=1)

WATCH_INBOXES = "watch_inboxes"


def watch_dag() -> DAG:
    """One run that never ends, with one deferred task; started anew by itself if it ever does end."""
    with DAG(
        WATCH_INBOXES,
        schedule="@continuous",
        start_date=START,
        max_active_runs=1,
        catchup=False,
        tags=["mysimbdp", "batchingestmanager"],
        doc_md="Looks at every tenant's inbox and rings the tenants' DAGs. Pausing it lets files wait.",
        default_args={"owner": "mysimbdp", "retries": 1000, "retry_delay": FIRST_RETRY},
    ) as dag:
        WatchInboxes(task_id="watch")
    return dag


def batch_dag(tenant: Tenant) -> DAG:
    """sense_input_directory → validate → ingest (mapped) → record."""
    with DAG(
        tenant.dag_id,
        schedule=None,
        start_date=START,
        max_active_runs=tenant.batch.max_active_runs,
        tags=["mysimbdp", "batchingestmanager", f"tenant:{tenant.tenant}"],
        description=tenant.title or f"Ingests the files of {tenant.tenant}",
        doc_md=(
            f"Ingests the complete files of `{tenant.tenant}`'s inbox into the keyspace `{tenant.keyspace}`. "
            "`watch_inboxes` starts it; started by hand it takes all complete files and what is pending."
        ),
        default_args={
            "owner": tenant.tenant,
            "retries": RETRIES,
            "retry_delay": FIRST_RETRY,
            "retry_exponential_backoff": 2.0,
            "max_retry_delay": LONGEST_RETRY,
        },
    ) as dag:
        sense = SenseInputDirectory(task_id="sense_input_directory", tenant_id=tenant.tenant)
        validate = Validate(task_id="validate", tenant_id=tenant.tenant, files=sense.output)
        ingest = Ingest.partial(task_id="ingest", tenant_id=tenant.tenant, pool=tenant.pool).expand(
            group=validate.output
        )
        # A teardown runs although a group failed, so that the receipts of the others are not kept back, and
        # leaves the run's colour to `ingest`.
        ingest >> Record(task_id="record", tenant_id=tenant.tenant).as_teardown(on_failure_fail_dagrun=True)
    return dag


def broken_dag(tenant_id: str, problems: Sequence[Problem]) -> DAG:
    """Stands where the tenant's DAG would be and says what is wrong with its file."""
    lines = [str(problem) for problem in problems]
    # Not by a display name: Airflow 3.3 keeps the last one when the mended DAG has none.
    with DAG(
        dag_id_of(tenant_id),
        schedule=None,
        start_date=START,
        max_active_runs=1,
        tags=["mysimbdp", "broken tenant file", f"tenant:{tenant_id}"],
        description=lines[0][:500],
        doc_md="\n".join(f"- {line}" for line in lines),
        default_args={"owner": tenant_id, "retries": 0},
    ) as dag:
        ShowBrokenTenantFile(task_id="tenant_file_is_broken", problems=lines)
    return dag
