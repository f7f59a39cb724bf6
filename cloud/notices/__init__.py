"""Notices: what people are told, in their language, at decent hours, and reminders that stop when they are answered."""
