"""Tests of the commands of the cloud."""
