"""The schema's history, run by storage.sql.migrate: one file a revision in `versions/`."""
