"""Tests of the cloud's kit."""
