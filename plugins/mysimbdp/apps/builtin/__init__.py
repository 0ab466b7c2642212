"""The app for tenants that name none: maps a file's fields to the table's columns. Runs as a process of its own."""
