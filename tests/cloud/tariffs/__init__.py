"""Tests of cloud/tariffs."""
