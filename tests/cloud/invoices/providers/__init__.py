"""Clients of tax platforms against what is known of their protocols."""
