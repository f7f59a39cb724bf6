"""Tests of the cloud's identity."""
