"""The adapters: the only room that knows SQLite, DuckDB or any other engine."""
