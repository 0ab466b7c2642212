"""Several real Cassandra nodes on one machine; part of `make test-long`, since each node takes most of a minute."""
