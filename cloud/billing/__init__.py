"""Accounts, periods, obligations, bills and adjustment documents, and the chain from a fen back to its reading."""
