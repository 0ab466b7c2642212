"""Benchmarks: each starts what it measures, checks the rows before it gives a figure, and names its peers."""
