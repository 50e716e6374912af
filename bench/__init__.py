"""What we measure, and against whom: each file one comparison, run in one go, printed as a table and as JSON."""
