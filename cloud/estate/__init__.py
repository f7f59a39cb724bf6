"""The estate: companies, communities, buildings, premises, and who owns, lives in or pays for them, dated."""
