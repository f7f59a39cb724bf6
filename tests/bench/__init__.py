"""Measurements of speed; ratios are gates, seconds are reported."""
