"""Charging: cards begin charges at piles, registers and idle minutes become one sealed record that the cloud bills."""
