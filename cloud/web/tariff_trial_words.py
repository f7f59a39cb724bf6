"""What the page of trials says: examples of requests, the explanation of a line, rows and a picture of a comparison."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cloud.tariffs.comparison import Bucket, Comparison, percent, signed
from cloud.web.charts import Option, counts
from common.money.amount import Currency, format_minor
from common.rating.explain import explain
from common.rating.line import RatedLine

EXAMPLE_USAGE = """\
period: ["2026-06-01", "2026-07-01"]   # 首日与末日次日 the first day, and the day after the last
quantity: "150"                        # 用量 units of the tariff
prior: "0"                             # 阶梯周期内此前用量 used before, since the tiers began
"""
EXAMPLE_REQUESTS = """\
requests:
  - {name: "1-101", period: ["2026-06-01", "2026-07-01"], quantity: "80"}
  - {name: "1-102", period: ["2026-06-01", "2026-07-01"], quantity: "150"}
  - {name: "1-103", period: ["2026-06-01", "2026-07-01"], quantity: "420"}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A priced line in words: its amount with the currency, and the explanation in both languages."""

    amount: str
    zh: list[str]
    en: list[str]


def told(line: RatedLine) -> Told:
    """Return a line in words, from its trace."""
    amount = f"{format_minor(line.amount_fen, line.currency)} {line.currency.code}"
    return Told(amount=amount, zh=explain(line, "zh"), en=explain(line, "en"))


def changes_rows(found: Comparison, currency: Currency) -> Iterator[tuple[str, str, str, str, str, str]]:
    """Yield name, old, new, change, share and reason of each request, largest rise first and refusals last."""
    for change in (*found.known, *found.refused):
        gap = change.difference
        yield (
            change.name,
            "" if change.old is None else format_minor(change.old, currency),
            "" if change.new is None else format_minor(change.new, currency),
            "" if gap is None else signed(gap, currency),
            percent(change),
            "" if gap is not None else f"{change.reason_zh} {change.reason}",
        )


def changes_cells(found: Comparison, currency: Currency) -> Iterator[tuple[str, ...]]:
    """Yield the same rows for a spreadsheet: figures are numbers there, without a plus or a per cent."""
    for name, old, new, change, share, reason in changes_rows(found, currency):
        yield name, old, new, change.removeprefix("+"), share.removeprefix("+").removesuffix("%"), reason


def changes_chart(found: Comparison, currency: Currency) -> Option:
    """Return how many requests change by how much; each bar is named by the least change it counts."""
    names = [signed(bucket.low, currency) for bucket in found.buckets]
    return counts(names, "户数 requests", [bucket.count for bucket in found.buckets])


def spread(found: Comparison, currency: Currency) -> list[tuple[str, int]]:
    """Return the same in words: from which change to which one, and how many."""
    return [(_between(bucket, currency), bucket.count) for bucket in found.buckets]


def _between(bucket: Bucket, currency: Currency) -> str:
    low, high = signed(bucket.low, currency), signed(bucket.high, currency)
    return low if low == high else f"{low} … {high}"
