"""The ledger: the one durable record of every file, claim and quota, kept in coredms."""
