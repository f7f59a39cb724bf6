"""Gateways, their keys and bundles, and the meters they read."""
