"""The gateway: one asyncio program on a small box that never loses a reading."""

__version__ = "0.1.0"  # what the health report tells; the same as in pyproject.toml
