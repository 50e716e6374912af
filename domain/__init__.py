"""The vocabulary of the field: places, measurands, records, readings, signals, findings, errors, and two ports.

Everything else in the house speaks in these words; this room imports nothing of ours.
"""
