"""The command line `mysimbdp`: one module a command group, mounted by `app`."""
