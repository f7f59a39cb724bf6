"""Tests of the figures that insights read by SQL of their own."""
