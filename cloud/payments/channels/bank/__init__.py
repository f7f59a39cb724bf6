"""Bank statements: CSV by a bank's profile, MT940 and camt.053, read into lines whose balance proves them."""
