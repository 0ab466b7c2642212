"""The platform side of the upload: inboxes, private copies, receipts. No Airflow and no Cassandra in here."""
