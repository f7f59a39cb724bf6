"""Tests of the gateway's pages."""
