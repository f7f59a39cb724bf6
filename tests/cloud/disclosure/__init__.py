"""Tests of `cloud/disclosure`."""
