"""What changes between two tariffs, as figures: who pays more, who less, and how the changes are spread. Pure.

The command line writes them as text and the console as a page; neither counts anything itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cloud.tariffs.trial import Change
from common.money.amount import Currency, format_minor
from common.money.rounding import RoundingMode, divide

BUCKETS_MAX = 10
_PER_MILLE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """How many requests change by an amount from `low` to `high`, both included, in minor units."""

    low: int
    high: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Changes that are known, largest rise first; those refused; the counts, the sum and the spread."""

    known: tuple[Change, ...]
    refused: tuple[Change, ...]
    more: int
    same: int
    less: int
    total: int
    buckets: tuple[Bucket, ...]


def summarise(changes: Sequence[Change]) -> Comparison:
    """Return the figures of some changes."""
    gaps = {id(change): gap for change in changes if (gap := change.difference) is not None}
    known = sorted((change for change in changes if id(change) in gaps), key=lambda one: (-gaps[id(one)], one.name))
    return Comparison(
        known=tuple(known),
        refused=tuple(change for change in changes if id(change) not in gaps),
        more=sum(gap > 0 for gap in gaps.values()),
        same=sum(gap == 0 for gap in gaps.values()),
        less=sum(gap < 0 for gap in gaps.values()),
        total=sum(gaps.values()),
        buckets=_buckets(list(gaps.values())),
    )


def _buckets(gaps: Sequence[int]) -> tuple[Bucket, ...]:
    """Return the changes in at most ten buckets of one width."""
    if not gaps:
        return ()
    low, high = min(gaps), max(gaps)
    width = max(divide(high - low + 1, BUCKETS_MAX, RoundingMode.UP), 1)
    counts = [0] * ((high - low) // width + 1)
    for gap in gaps:
        counts[(gap - low) // width] += 1
    return tuple(
        Bucket(low=low + n * width, high=low + (n + 1) * width - 1, count=count) for n, count in enumerate(counts)
    )


def signed(minor: int, currency: Currency) -> str:
    """Return an amount with its sign, a plus for more."""
    return f"+{format_minor(minor, currency)}" if minor > 0 else format_minor(minor, currency)


def percent(change: Change) -> str:
    """Return a change in per cent of what was paid, nothing where nothing was."""
    if not change.old or change.difference is None:
        return ""
    tenths = divide(change.difference * _PER_MILLE, change.old, RoundingMode.HALF_UP)
    sign = "-" if tenths < 0 else "+"
    return f"{sign}{abs(tenths) // 10}.{abs(tenths) % 10}%"
