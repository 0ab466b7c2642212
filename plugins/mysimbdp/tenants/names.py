"""What a tenant's things are called, from its id alone: also where its tenant file is broken or gone."""

from __future__ import annotations


def keyspace_of(tenant: str) -> str:
    """The tenant's keyspace in coredms."""
    return f"tenant_{tenant}"


def pool_of(tenant: str) -> str:
    """The tenant's Airflow pool."""
    return f"tenant_{tenant}"


def dag_id_of(tenant: str) -> str:
    """The tenant's batch DAG."""
    return f"batch_{tenant}"
