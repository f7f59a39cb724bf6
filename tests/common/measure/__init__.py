"""Tests of common.measure."""
