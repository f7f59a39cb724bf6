"""Tests of the payment channels."""
