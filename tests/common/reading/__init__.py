"""Tests of common/reading."""
