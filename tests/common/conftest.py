"""Properties are judged by what they find, not by the clock: a busy machine must not turn a law red."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("steady", deadline=None)
settings.load_profile("steady")
