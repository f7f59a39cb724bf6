"""Tests of the unionpay channel's parts."""
