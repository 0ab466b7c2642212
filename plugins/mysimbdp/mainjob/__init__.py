"""The main job of `make run`: two sample customers send files, and every expected row is found in Cassandra."""
