"""Tests of common.money."""
