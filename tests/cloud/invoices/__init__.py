"""Tax invoices: what may be invoiced, the way to the platform and back, red letters, and the same over faults."""
