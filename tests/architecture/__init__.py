"""Tests of the shape of the code itself: import rules, tidiness, and that these gates can still fail."""
