"""Two tariffs side by side: who pays more, who less, and how the changes are spread. Pure text from figures."""

from __future__ import annotations

from collections.abc import Sequence

from cloud.tariffs.trial import Change
from common.money.amount import Currency, format_minor
from common.money.rounding import RoundingMode, divide

BAR_WIDTH_MAX = 40
BUCKETS_MAX = 10
_PER_MILLE = 1_000
_MINUS, _EQUAL, _PLUS = "少付 less", "不变 same", "多付 more"


def table(changes: Sequence[Change], currency: Currency) -> list[str]:
    """Return a row a request, largest rise first and refusals last, then the counts and the total."""
    priced = [(change.difference, change) for change in changes]
    known = sorted(((gap, change) for gap, change in priced if gap is not None), key=lambda row: (-row[0], row[1].name))
    rows = [f"{'':24} {'原 old':>12} {'新 new':>12} {'差 change':>12}"]
    for gap, change in known:
        amounts = [_money(change.old, currency), _money(change.new, currency), _signed(gap, currency)]
        rows.append(f"{change.name:24.24} " + " ".join(f"{amount:>12}" for amount in amounts) + _percent(change))
    rows.extend(f"{change.name:24.24} {change.reason}" for gap, change in priced if gap is None)
    gaps = [gap for gap, _ in known]
    counts = {_PLUS: sum(gap > 0 for gap in gaps), _EQUAL: gaps.count(0), _MINUS: sum(gap < 0 for gap in gaps)}
    rows.append("  ".join(f"{word} {count}" for word, count in counts.items()))
    rows.append(f"拒绝 refused {len(changes) - len(known)}  合计 total {_signed(sum(gaps), currency)}")
    return rows


def histogram(changes: Sequence[Change], currency: Currency) -> list[str]:
    """Return the changes in at most ten buckets of one width, each with a bar."""
    gaps = [gap for change in changes if (gap := change.difference) is not None]
    if not gaps:
        return []
    low, high = min(gaps), max(gaps)
    width = max(divide(high - low + 1, BUCKETS_MAX, RoundingMode.UP), 1)
    buckets = [0] * ((high - low) // width + 1)
    for gap in gaps:
        buckets[(gap - low) // width] += 1
    fullest = max(buckets)
    return [
        f"{_signed(low + n * width, currency):>12} .. {_signed(low + (n + 1) * width - 1, currency):>12} "
        f"{'#' * divide(count * BAR_WIDTH_MAX, fullest, RoundingMode.UP)} {count}"
        for n, count in enumerate(buckets)
    ]


def _money(minor: int | None, currency: Currency) -> str:
    return "" if minor is None else format_minor(minor, currency)


def _signed(minor: int, currency: Currency) -> str:
    return f"+{format_minor(minor, currency)}" if minor > 0 else format_minor(minor, currency)


def _percent(change: Change) -> str:
    if not change.old or change.difference is None:
        return ""
    tenths = divide(change.difference * _PER_MILLE, change.old, RoundingMode.HALF_UP)
    sign = "-" if tenths < 0 else "+"
    return f"  {sign}{abs(tenths) // 10}.{abs(tenths) % 10}%"
