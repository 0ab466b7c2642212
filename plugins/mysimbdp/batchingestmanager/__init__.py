"""batchingestmanager: the watch_inboxes and batch_<tenant> DAGs. It never looks into the data or the app."""
