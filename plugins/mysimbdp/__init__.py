"""mysimbdp: a multi-tenant big-data ingestion platform on Apache Airflow and Apache Cassandra."""

__version__ = "0.1.0"
