"""Clients of the tax platforms that issue invoices: one thin client each behind one port, and nothing of our rows."""
