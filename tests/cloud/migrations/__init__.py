"""Tests of the schema and its guards."""
