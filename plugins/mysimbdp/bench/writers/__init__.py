"""Programs that load a CSV file into a table, ours and others': how each is started, one module a kind.

Each runs as a process of its own, so that all are measured alike from outside.
"""
