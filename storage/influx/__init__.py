"""Readings on a server that takes line protocol: InfluxDB 2 and VictoriaMetrics."""
