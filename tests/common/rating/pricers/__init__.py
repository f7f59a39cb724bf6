"""Tests of single pricers."""
