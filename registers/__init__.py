"""Who and what may work: areas, enterprises, sites, devices, welding machines, welders, certificates, permits, inspectors.

One noun, one file: the type and its rules. `nouns.py` lists them; `store.py` is the port they are kept behind; `view.py`
is the picture of them that detectors see.
"""
