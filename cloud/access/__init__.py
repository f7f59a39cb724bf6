"""Doors and charging piles: who holds a card for what, told to the gateways; charges become a household's usage."""
