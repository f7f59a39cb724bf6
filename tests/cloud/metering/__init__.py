"""Tests of cloud/metering."""
