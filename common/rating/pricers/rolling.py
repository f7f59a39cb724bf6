"""A cap on any 24 hours, wherever they begin: what it takes off amounts that fall due one after the other. Pure.

Each amount is charged as far as the 24 hours that end with it leave room under the cap, so no 24 hours cost more, and a
stay that nowhere reaches the cap costs what it did without one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from common.rating.refusal import RatingRefusedError, RefusalKind

SPAN = timedelta(hours=24)
DUES_MAX = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An amount in minor units, and the instant at which it falls due."""

    at: datetime
    minor: Fraction


def rolling_excess(dues: Iterable[Due], cap: Fraction) -> Fraction:
    """Return how much of the dues lies above a cap that holds for every 24 hours.

    Raises:
        RatingRefusedError: there are more dues than are looked at.
    """
    ordered = sorted(dues, key=lambda due: due.at)
    if len(ordered) > DUES_MAX:
        detail = f"a rolling cap looks at no more than {DUES_MAX} units; use a cap for 24 hours from the entry"
        raise RatingRefusedError(RefusalKind.BAD_SESSION, detail)
    recent: deque[Due] = deque()
    spent = excess = Fraction(0)
    for due in ordered:
        while recent and recent[0].at + SPAN <= due.at:
            spent -= recent.popleft().minor
        charged = min(due.minor, cap - spent)
        recent.append(Due(at=due.at, minor=charged))
        spent += charged
        excess += due.minor - charged
    return excess
