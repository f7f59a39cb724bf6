"""Who may look: the technician's PIN session, and a limit on guesses. In memory only, in machine time."""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Callable

SESSION_S = 8 * 3600
SESSIONS_MAX = 32
GUESSERS_MAX = 1_000
_TOKEN_BYTES = 24


class Guesses:
    """At most so many guesses a window for each guesser; the oldest guessers are forgotten first."""

    def __init__(self, monotonic_s: Callable[[], float], *, most: int, window_s: float) -> None:
        self._monotonic_s = monotonic_s
        self._most = most
        self._window_s = window_s
        self._made: OrderedDict[str, list[float]] = OrderedDict()

    def allow(self, guesser: str) -> bool:
        """Count one guess and return whether it may be tried."""
        now_s = self._monotonic_s()
        recent = [at_s for at_s in self._made.pop(guesser, []) if now_s - at_s < self._window_s]
        allowed = len(recent) < self._most
        self._made[guesser] = [*recent, now_s] if allowed else recent
        if len(self._made) > GUESSERS_MAX:
            self._made.popitem(last=False)
        return allowed


class TechnicianSessions:
    """Sessions opened with the PIN."""

    def __init__(self, pin: str, monotonic_s: Callable[[], float], entropy: Callable[[int], bytes]) -> None:
        self._pin = pin
        self._monotonic_s = monotonic_s
        self._entropy = entropy
        self._until_s: OrderedDict[str, float] = OrderedDict()

    def open(self, pin: str) -> str | None:
        """Return the token of a new session, or None for a wrong PIN."""
        if not hmac.compare_digest(pin.encode(), self._pin.encode()):
            return None
        token = self._entropy(_TOKEN_BYTES).hex()
        self._until_s[token] = self._monotonic_s() + SESSION_S
        if len(self._until_s) > SESSIONS_MAX:
            self._until_s.popitem(last=False)
        return token

    def holds(self, token: str | None) -> bool:
        """Return whether a token is of a session that still runs."""
        return token is not None and self._until_s.get(token, 0) > self._monotonic_s()
