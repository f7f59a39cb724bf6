"""Tests of `cloud/charges`."""
