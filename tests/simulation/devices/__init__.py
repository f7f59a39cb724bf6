"""Simulated devices: real servers that speak the true protocols; none of the gateway's protocol code is used here."""
