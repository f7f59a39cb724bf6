"""The store: a reading, an event or a receipt exists when its commit returned."""
