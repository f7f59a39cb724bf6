"""Sampling: due slots in business time become readings, or gaps that say why."""
