"""A stay after earlier visits: the last costs what all cost together, less what the earlier ones cost."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from common.rating.request import Visit
from edge.prerate.prices import parse_prices
from edge.prerate.visits import Stayed, price_stay
from tests.edge.prerate.test_estimator import ZONE, bundle, revision

NINE = datetime.fromisoformat("2026-01-05T01:00:00+00:00")
HOUR = timedelta(hours=1)
TOGETHER = {
    "session": {"cut": "calendar_day", "visits": "together", "day_cap": "12", "blocks": [{"every": 60, "price": "4"}]}
}


def price(*visits: Visit, changes: dict[str, Any] | None = None, **facts: Any) -> int | None:
    prices = parse_prices(bundle(revision("parking", **(changes or {}))))
    whole: dict[str, Any] = {"lot": "north", "paid_at": None, "granted_minutes": 0, "traits": {}}
    found = price_stay(prices, ZONE, Stayed(visits=visits, **(whole | facts)))
    return None if found is None else found[0]


def hours(start: int, end: int) -> Visit:
    return Visit(entry=NINE + start * HOUR, exit=NINE + end * HOUR)


def test_visits_priced_apart_do_not_change_each_other() -> None:
    assert price(hours(0, 3), hours(4, 6)) == price(hours(4, 6)) == 700


def test_a_cap_of_the_day_holds_across_its_visits() -> None:
    assert price(hours(0, 2), changes=TOGETHER) == 800
    assert price(hours(0, 2), hours(3, 5), changes=TOGETHER) == 400
    assert price(hours(0, 2), hours(3, 5), hours(6, 9), changes=TOGETHER) == 0


def test_coupon_minutes_and_an_early_payment_go_to_the_last_visit() -> None:
    assert price(hours(0, 3), hours(4, 6), granted_minutes=60) == 500
    grace = {"session": {"exit_grace_minutes": 20, "blocks": [{"every": 60, "price": "4"}]}}
    late = Visit(entry=NINE, exit=NINE + 2 * HOUR + timedelta(minutes=15))
    assert price(late, changes=grace) == 1200
    assert price(late, changes=grace, paid_at=NINE + 2 * HOUR) == 800


def test_a_lot_without_a_tariff_has_no_price() -> None:
    assert price(hours(0, 3), lot="south") is None
