"""Readings in DuckDB."""
