"""The channels: one way of telling people, one file."""
