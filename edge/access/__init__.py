"""Access: a card at a door becomes a decision from local data, a record, and an open door. It knows nothing of debt."""
