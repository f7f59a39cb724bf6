"""Tests of cloud.deposits."""
