"""Tests of common.rating."""
