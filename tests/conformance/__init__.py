"""Published frames and messages with known answers, each with its source."""
