"""The one-machine deployment: real Cassandra, PostgreSQL and Airflow, from pip alone, on loopback only."""
