"""Tests of common.tariff."""
