"""Tests of `cloud/settlement`."""
