"""Contract tests: the product's clients against simulators that speak the true protocols."""
