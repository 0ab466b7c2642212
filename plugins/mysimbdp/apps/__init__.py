"""Running a tenant's app as a separate process. Nothing here imports an app; keep this file empty of imports."""
