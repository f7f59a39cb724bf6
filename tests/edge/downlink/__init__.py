"""Tests of the downlink."""
