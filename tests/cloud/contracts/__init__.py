"""Tests of cloud/contracts."""
