"""Readings of cumulative registers and what follows from them: usage, quality, anomalies."""
