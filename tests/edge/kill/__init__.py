"""Real processes that are killed, starved of disk and started again; proof by commit log."""
