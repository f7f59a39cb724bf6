"""Batches as they come from gateways: verified, kept once, answered with a signed receipt."""
