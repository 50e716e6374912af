"""`python -m emberwatch` is `emberwatch`."""

from emberwatch.cli import main

main()
