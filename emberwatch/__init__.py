"""The front door: settings, composition root, pipeline, metrics, command line."""

__version__ = "0.1.0"
