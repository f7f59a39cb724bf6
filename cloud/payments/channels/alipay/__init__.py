"""Alipay: a thin client of its gateway, its signatures, its notifications and its files."""
