"""Tests of bills, corrections and the chain behind them."""
