"""The shapes that leave and enter over HTTP, one file a noun; each mirrors a type of the field (a test compares them)."""
