"""Where the journal is kept: in SQLite, or in memory for tests and back-tests."""
