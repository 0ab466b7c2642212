"""Airflow imports this module as it starts. Processes that fork tasks import the platform's rooms once, here.

A task process is a fork of the scheduler's (LocalExecutor) or the Celery worker's, a parse one of the DAG
processor's: what is imported there costs the fork nothing, where it would cost each of them about a second.
"""

import sys

__all__: list[str] = []

if {"scheduler", "dag-processor", "celery"} & set(sys.argv[1:3]):
    import mysimbdp.batchingestmanager.dag_factory
    import mysimbdp.housekeeping.dag_factory  # noqa: F401  # imported for those that are forked from here
