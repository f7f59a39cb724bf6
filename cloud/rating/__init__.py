"""From usage and tariff revisions to rated lines, with every input kept for replay."""
