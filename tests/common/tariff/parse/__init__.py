"""Tests of the readers of tariff documents."""
