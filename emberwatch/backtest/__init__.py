"""Any recorded series through the real path: records, decoding, detectors, alarm lifecycle; then scores against known truth.

From a file to readings: `text.py`, `workbook.py` (cells), `table.py` (header and units), `columns.py`, `quantities.py` (what
each column is), `moments.py` (times), `rows.py` and `series.py` (numbers in order), `recording.py` (all of them together). Then
`feed.py` (records), `runner.py`, `known.py` (what happened), `truth.py` (judged), `report.py` (drawn), `suggest.py`; `job.py`
goes from files to files.
"""
