"""Tests of the cloud's estate."""
