"""Any recorded series through the real path: records, decoding, detectors, alarm lifecycle; then scores against known truth.

`recording.py` turns a CSV file into journal records, `runner.py` runs them, `truth.py` judges, `report.py` draws.
"""
