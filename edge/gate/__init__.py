"""The gate: a plate at a camera becomes a decision from local data, a session and, when it may, an open barrier."""
