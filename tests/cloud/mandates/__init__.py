"""Tests of automatic deduction."""
