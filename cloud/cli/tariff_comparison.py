"""Two tariffs side by side: who pays more, who less, and how the changes are spread. Pure text from figures."""

from __future__ import annotations

from cloud.tariffs.comparison import Comparison, percent, signed
from common.money.amount import Currency, format_minor
from common.money.rounding import RoundingMode, divide

BAR_WIDTH_MAX = 40


def table(found: Comparison, currency: Currency) -> list[str]:
    """Return a row a request, largest rise first and refusals last, then the counts and the total."""
    rows = [f"{'':24} {'原 old':>12} {'新 new':>12} {'差 change':>12}"]
    for change in found.known:
        amounts = [_money(change.old, currency), _money(change.new, currency), signed(change.difference or 0, currency)]
        share = percent(change)
        rows.append(
            f"{change.name:24.24} " + " ".join(f"{amount:>12}" for amount in amounts) + (share and f"  {share}")
        )
    rows.extend(f"{change.name:24.24} {change.reason}" for change in found.refused)
    rows.append(f"多付 more {found.more}  不变 same {found.same}  少付 less {found.less}")
    rows.append(f"拒绝 refused {len(found.refused)}  合计 total {signed(found.total, currency)}")
    return rows


def histogram(found: Comparison, currency: Currency) -> list[str]:
    """Return the changes in at most ten buckets of one width, each with a bar."""
    fullest = max((bucket.count for bucket in found.buckets), default=1)
    return [
        f"{signed(bucket.low, currency):>12} .. {signed(bucket.high, currency):>12} "
        f"{'#' * divide(bucket.count * BAR_WIDTH_MAX, fullest, RoundingMode.UP)} {bucket.count}"
        for bucket in found.buckets
    ]


def _money(minor: int | None, currency: Currency) -> str:
    return "" if minor is None else format_minor(minor, currency)
