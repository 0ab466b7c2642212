"""The gate between an app's rows and coredms: every row ends typed or rejected with a reason."""
