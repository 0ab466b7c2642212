"""Makes housekeeping_audit and housekeeping_retention (DAG discovery looks for: airflow, dag)."""

from mysimbdp.housekeeping.dag_factory import AUDIT, RETENTION, audit_dag, retention_dag

globals()[AUDIT] = audit_dag()
globals()[RETENTION] = retention_dag()
