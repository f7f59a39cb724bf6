"""Tests of card terminals."""
