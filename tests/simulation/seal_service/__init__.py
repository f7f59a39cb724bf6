"""A seal service as an application, with keys of its own."""
