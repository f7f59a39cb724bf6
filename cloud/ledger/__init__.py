"""The book: one row is one balanced transfer, grouped by journals that are only ever added; see README.md."""
