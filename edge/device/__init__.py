"""Device models as data: a YAML profile in, a checked profile and a read plan out."""
