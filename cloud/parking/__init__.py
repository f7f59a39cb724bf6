"""Parking sessions from gate events, and which household they are charged to."""
