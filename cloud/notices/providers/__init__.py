"""Clients of those who carry messages: one thin client each behind one port, and nothing of our rows."""
