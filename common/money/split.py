"""Splitting an amount by weights so that the parts always sum to the whole.

Largest remainder (Hamilton's method): every part gets the floor of its exact share, and the units left over go to
the largest remainders, ties to the smaller stable key. No part is off its exact share by a whole unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from common.errors import RefusalError, ensure

Key = TypeVar("Key", int, str, bytes)


def split_by_weight(total: int, weights: Mapping[Key, int]) -> dict[Key, int]:
    """Split a total in minor units over keyed weights.

    A negative total is split as its mirror image. Keys decide ties, so they must be stable (an id, not a position).

    Raises:
        RefusalError: there is no weight, a weight is negative, or all are zero.
    """
    if not weights:
        raise RefusalError("an amount cannot be split over nobody; name at least one share")
    negative = sorted(str(key) for key, weight in weights.items() if weight < 0)
    if negative:
        raise RefusalError(f"negative share for {', '.join(negative)}; a share is zero or more")
    weight_sum = sum(weights.values())
    if weight_sum == 0:
        raise RefusalError("all shares are zero; at least one must be positive")
    magnitude, sign = abs(total), 1 if total >= 0 else -1
    shares = {key: divmod(magnitude * weight, weight_sum) for key, weight in weights.items()}
    left_over = magnitude - sum(floor for floor, _ in shares.values())
    by_remainder = sorted(shares, key=lambda key: (-shares[key][1], key))
    lucky = set(by_remainder[:left_over])
    parts = {key: sign * (floor + (key in lucky)) for key, (floor, _) in shares.items()}
    ensure(sum(parts.values()) == total, "the parts of a split sum to the whole")
    return parts
