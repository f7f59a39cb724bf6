"""Pre-rating: what a month or a stay will cost by the tariff on board; an estimate, the cloud's figure is the bill."""
