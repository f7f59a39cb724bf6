"""Tests of cloud.notices."""
