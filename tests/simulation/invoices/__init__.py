"""A tax platform: its own keys, its own book of invoices and red letters, and ways to misbehave."""
