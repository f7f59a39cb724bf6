"""Tests of cloud/rating."""
