"""One revision a file, named after its number; never edited once released."""
