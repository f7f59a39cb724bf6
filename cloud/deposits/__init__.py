"""Deposits: money held for its payer, a ledger account for each, given back when its conditions are met."""
