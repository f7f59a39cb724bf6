"""Quantities of the physical world as whole milli-units with a unit."""
