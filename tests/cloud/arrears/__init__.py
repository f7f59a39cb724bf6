"""Tests of `cloud/arrears`."""
