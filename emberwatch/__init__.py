"""The front door: settings, composition root, pipeline, metrics, command line."""
