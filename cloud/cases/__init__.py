"""Open exceptions, anomalies, repairs and disputes, each with an owner and an age."""
