"""Tests of the gateway's device models and their recordings."""
