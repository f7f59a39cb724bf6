"""Refunds: money goes back the way it came, by rule or by persons, never more than came."""
