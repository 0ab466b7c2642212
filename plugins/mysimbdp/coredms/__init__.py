"""Apache Cassandra: schema, sessions and the loader."""
