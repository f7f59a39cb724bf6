"""Tests of pre-rating."""
