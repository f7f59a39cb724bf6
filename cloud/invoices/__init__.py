"""Tax invoices (数电票): asked for by who paid, issued by the seller's tax platform, taken back by red letters."""
