"""Tests of cloud/cases."""
