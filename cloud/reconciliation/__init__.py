"""Reconciliation: the channel's book against ours, every day, to the fen; what does not agree is named and owned."""
