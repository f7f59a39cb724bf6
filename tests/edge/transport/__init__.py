"""Tests of the gateway's byte lines."""
