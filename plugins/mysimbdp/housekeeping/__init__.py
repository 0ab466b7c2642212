"""Keeps the platform tidy: retention, the daily audit, the end of a tenant."""
