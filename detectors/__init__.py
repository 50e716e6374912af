"""Rules that find danger and offences in the stream: one family a folder or file, all listed in `catalogue.py`.

Detectors are deterministic, do no I/O and never read a clock: see `base.py` for the promise they keep.
"""
