"""Rules about hot work (W): the arc is read from current and voltage, the people and papers from scans and registers.

`arc.py` sees who welds electrically, `session.py` who is scanned in, `certificates.py` and `permits.py` judge the papers,
`rules.py` puts them together into verdicts, and `detector.py` turns verdicts that come and go into findings.
"""
