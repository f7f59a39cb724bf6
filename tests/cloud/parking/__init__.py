"""Tests of cloud/parking."""
