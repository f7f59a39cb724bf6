"""Charges by window and the edges of late charges, figure by figure."""

from __future__ import annotations

from datetime import date

import pytest

from common.rating.engine import rate
from common.rating.line import ComponentKind, RatedLine
from common.rating.request import Debt, RatingRequest
from tests.common.tariff.builders import JUNE, tariff

DAY = [
    {"name": "sharp", "times": ["10:00-12:00"]},
    {"name": "peak", "times": ["08:00-22:00"]},
    {"name": "valley", "times": ["22:00-08:00"]},
]
PRICES = {"sharp": ["1", "2"], "peak": ["3", "5"], "valley": ["7", "11"]}
USED = {"sharp": 4_000, "peak": 5_000, "valley": 6_000}


def windowed(order: str, prior: dict[str, int] | None = None) -> RatedLine:
    tiers = {"bounds": ["10"], "windows": order}
    compiled = tariff(windows=DAY, charges=[{"key": "e", "tiers": tiers, "by_window": PRICES}])
    return rate(
        compiled,
        RatingRequest(period=JUNE, windows_milli=USED, prior_milli=0, prior_windows_milli=prior or {}),
    )


def test_windows_in_order_fill_the_tiers_one_after_the_other() -> None:
    assert windowed("in_order").amount_fen == 100 * (4 * 1 + 5 * 3 + 1 * 7 + 5 * 11)


def test_windows_with_tiers_of_their_own_begin_at_nothing_where_nothing_came_before() -> None:
    assert windowed("separate").amount_fen == 100 * (4 * 1 + 5 * 3 + 6 * 7)
    assert windowed("separate", {"peak": 8_000, "valley": 10_000}).amount_fen == 100 * (4 + 2 * 3 + 3 * 5 + 6 * 11)


def test_windows_share_every_tier_in_proportion() -> None:
    line = windowed("proportional")
    assert line.exact * 15 == 100 * (10 * (4 * 1 + 5 * 3 + 6 * 7) + 5 * (4 * 2 + 5 * 5 + 6 * 11))
    assert sum(component.quantity or 0 for component in line.components) == 15


def test_windows_in_which_nothing_was_used_cost_nothing() -> None:
    tiers = {"bounds": ["10"], "windows": "proportional"}
    compiled = tariff(windows=DAY, charges=[{"key": "e", "tiers": tiers, "by_window": PRICES}])
    assert rate(compiled, RatingRequest(period=JUNE, windows_milli=dict.fromkeys(USED, 0))).amount_fen == 0


def late(debts: list[tuple[int, date]], paid: date, **rule: object) -> RatedLine:
    compiled = tariff(late_charge={"rate_per_day": "0.001", **rule})
    return rate(
        compiled,
        RatingRequest(
            period=JUNE,
            debts=tuple(Debt(key=f"d{n}", amount_fen=fen, due=due) for n, (fen, due) in enumerate(debts)),
            paid_on=paid,
        ),
    )


DUE = date(2026, 6, 1)


def test_a_debt_of_nothing_bears_nothing() -> None:
    assert late([(0, DUE), (100_00, DUE)], date(2026, 6, 11)).amount_fen == 1_00


@pytest.mark.parametrize(("day", "caps"), [(10, 0), (11, 1)])
def test_a_cap_that_is_just_reached_takes_nothing_off(day: int, caps: int) -> None:
    line = late([(1_000_00, DUE)], date(2026, 6, day), cap_share="0.009")
    assert sum(one.kind is ComponentKind.CAP for one in line.components) == caps
    assert line.amount_fen == 9_00


def test_thirty_day_months_count_over_the_turn_of_the_year() -> None:
    line = late([(1_000_00, date(2025, 11, 30))], date(2026, 2, 1), day_count="thirty_day_months")
    assert line.amount_fen == 61_00
