"""Tests of `cloud/imports`."""
