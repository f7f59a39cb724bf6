"""Tests of the gateway's wires and what they answer."""
