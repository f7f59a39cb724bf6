"""Meter protocols as pure bytes and values: no line, no clock, no waiting."""
