"""What is charged, at which price, to whom and since when: charge items, tariff revisions and their assignment."""
