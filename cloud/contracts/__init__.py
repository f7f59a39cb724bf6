"""Leases and other contracts with their dated terms."""
