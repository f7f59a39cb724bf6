"""Money as whole minor units, rounding with a named mode, and splits that always sum."""
