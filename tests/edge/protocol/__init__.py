"""Tests of the gateway's codecs as pure bytes."""
