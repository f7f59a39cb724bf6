"""Card terminals: the acquirer's settlement file, read by the names of its columns."""
