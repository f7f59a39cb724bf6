"""Rating: a compiled tariff and a request in, a rated line with its trace out."""
