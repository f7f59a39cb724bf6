"""Byte streams to meters: serial lines and their TCP converters, each with one owner."""
