"""The gateway: one asyncio program on a small box that never loses a reading."""
