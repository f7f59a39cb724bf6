"""Tests of the alipay channel's parts."""
