"""Figures for people: read-only SQL of its own over the rows of the domains, never a write and never a decision."""
