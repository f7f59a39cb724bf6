"""The pricers: one file a shape of rule, each from a request to exact components."""
