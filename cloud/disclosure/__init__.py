"""The sunshine ledger: what came into and went out of the owners' own funds, for residents to read."""
