"""How long to wait after a failure: full jitter between nothing and a ceiling that doubles, for tenacity."""

from __future__ import annotations

from collections.abc import Callable

from tenacity import RetryCallState
from tenacity.wait import wait_base
from typing_extensions import override

FIRST_S = 1.0
MOST_S = 300.0
_DOUBLINGS_MAX = 16
_FRACTION_BYTES = 4


class FullJitter(wait_base):
    """Anywhere from zero to the ceiling, so that a fleet that lost its link together does not come back together."""

    def __init__(self, entropy: Callable[[int], bytes], *, first_s: float = FIRST_S, most_s: float = MOST_S) -> None:
        self._entropy = entropy
        self._first_s = first_s
        self._most_s = most_s

    @override
    def __call__(self, retry_state: RetryCallState) -> float:
        """Return the seconds to wait before the next attempt."""
        doublings = min(retry_state.attempt_number - 1, _DOUBLINGS_MAX)
        ceiling_s = min(self._first_s * 2**doublings, self._most_s)
        fraction = int.from_bytes(self._entropy(_FRACTION_BYTES)) / (1 << 8 * _FRACTION_BYTES)
        return float(ceiling_s * fraction)
