"""What the cloud has for this gateway: fetched, verified, applied, reported; the last good one stays."""
