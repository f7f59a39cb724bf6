"""Tests of cloud.refunds."""
