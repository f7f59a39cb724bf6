"""Tests of the WeChat Pay channel."""
