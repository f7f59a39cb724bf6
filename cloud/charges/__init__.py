"""Charge items made in one go, one-off charges and levies, groups of premises, announcements."""
