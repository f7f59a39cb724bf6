"""Laws 1 to 3, 5, 6 and 8 of rating, for random tariffs, against an oracle that shares no code with the engine."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from common.civil import Period, nth_period
from common.money.amount import INT64_MAX
from common.rating.engine import rate, rate_parts
from common.rating.line import ComponentKind, RatedLine
from common.rating.proration import month_shares
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.request import RatingRequest, Session, Visit
from common.tariff.compile import CompiledTariff, compile_tariff
from common.tariff.document import parse_tariff
from common.tariff.model import Proration
from tests.common.rating import oracle, strategies
from tests.common.tariff.builders import JUNE, body, unit_price, usage

FEN = 100
ZONE = ZoneInfo("Asia/Shanghai")
Document = dict[str, Any]


def compiled(document: Document) -> CompiledTariff:
    return compile_tariff(parse_tariff(document))


def priced(document: Document, quantity: int, prior: int = 0, persons: int = 1) -> RatedLine:
    request = RatingRequest(period=JUNE, quantity_milli=quantity, prior_milli=prior, facts={"persons": persons})
    return rate(compiled(document), request)


@pytest.mark.timeout(60)
@given(strategies.tiered(), strategies.QUANTITIES, strategies.QUANTITIES, st.integers(1, 12))
def test_the_engine_agrees_with_the_oracle(document: Document, quantity: int, prior: int, persons: int) -> None:
    charged = oracle.charge_total(document, Fraction(quantity, 1000), Fraction(prior, 1000), persons)
    assume(charged >= 0)  # a volume price may fall below what was paid before: refused, see the test after this
    exact = oracle.adjusted(document, charged)
    line = priced(document, quantity, prior, persons)
    assert line.exact == exact * FEN
    step = document["rounding"][0]
    assert line.amount_fen == oracle.rounded(exact, Fraction(step["to"]), step["mode"]) * FEN
    assert sum(component.fen for component in line.components) == line.amount_fen


def test_a_volume_price_that_falls_below_what_was_paid_before_is_refused() -> None:
    document = body(tiers={"bounds": ["10"], "mode": "volume"}, charges=[{"key": "e", "prices": ["3", "1"]}])
    assert priced(document, 11_000).amount_fen == 1_100
    with pytest.raises(RatingRefusedError, match="negative_amount: the line comes to -1900 minor units"):
        priced(document, 1_000, 10_000)


@given(strategies.graduated(), strategies.QUANTITIES, strategies.QUANTITIES)
def test_graduated_slices_sum_to_the_usage(document: Document, quantity: int, prior: int) -> None:
    line = priced(document, quantity, prior)
    for charge in document["charges"]:
        slices = [component.quantity or 0 for component in line.components if component.charge == charge["key"]]
        assert sum(slices) == Fraction(quantity, 1000)


@given(strategies.graduated(), strategies.QUANTITIES, st.integers(1, 10_000))
def test_a_graduated_price_is_monotone_and_continuous(document: Document, quantity: int, step: int) -> None:
    low, high = priced(document, quantity).exact, priced(document, quantity + step).exact
    dearest = sum(max(map(Fraction, charge.get("prices", [charge.get("price")]))) for charge in document["charges"])
    assert 0 <= high - low <= dearest * step / 1000 * FEN


@given(strategies.graduated(), strategies.QUANTITIES, strategies.QUANTITIES, strategies.QUANTITIES)
def test_splitting_a_period_at_any_reading_changes_nothing_before_rounding(
    document: Document, first: int, second: int, prior: int
) -> None:
    whole = priced(document, first + second, prior).exact
    assert priced(document, first, prior).exact + priced(document, second, prior + first).exact == whole


@given(strategies.graduated(), st.lists(strategies.QUANTITIES, min_size=12, max_size=12))
def test_billing_monthly_with_annual_tiers_is_billing_once_a_year(document: Document, months: list[int]) -> None:
    tariff = compiled({**document, "accumulate": {"over": "year"}})
    parts, prior = [], 0
    for number, quantity in enumerate(months):
        request = usage(quantity, prior, nth_period(date(2026, 1, 1), number))
        parts.append((tariff, request))
        prior += quantity
    year = usage(prior, 0, Period(date(2026, 1, 1), date(2027, 1, 1)))
    assert sum(rate(*part).exact for part in parts) == rate_parts(parts).exact == rate(tariff, year).exact


@given(strategies.BOUNDS, st.data(), strategies.QUANTITIES)
def test_a_volume_price_is_the_price_of_the_tier_reached_times_all(
    bounds: list[str], data: st.DataObject, quantity: int
) -> None:
    prices = data.draw(st.lists(strategies.PRICES, min_size=len(bounds) + 1, max_size=len(bounds) + 1))
    document = body(tiers={"bounds": bounds, "mode": "volume"}, charges=[{"key": "e", "prices": prices}])
    tier = sum(Fraction(bound) * 1000 < quantity for bound in bounds)
    assert priced(document, quantity).exact == Fraction(prices[tier]) * quantity / 1000 * FEN


@given(strategies.tiered(), strategies.QUANTITIES, strategies.QUANTITIES)
def test_rounding_is_repeatable_and_the_tail_is_all_it_adds(document: Document, quantity: int, prior: int) -> None:
    assume(document["tiers"]["mode"] == "graduated" or not prior)
    line, again = priced(document, quantity, prior), priced(document, quantity, prior)
    assert line == again
    grid = int(Fraction(document["rounding"][0]["to"]) * FEN)
    assert line.tail == line.amount_fen - line.exact
    assert abs(line.tail) < grid
    if document["rounding"][0]["mode"].startswith("half"):
        assert abs(line.tail) <= Fraction(grid, 2)
    assert line.amount_fen % grid == 0


@given(strategies.graduated(), strategies.QUANTITIES)
def test_rounding_components_first_reports_the_sum_of_differences(document: Document, quantity: int) -> None:
    plan = [{"stage": "component", "to": "0.01"}, {"stage": "line", "to": "0.01"}]
    exact, line = priced(document, quantity), priced({**document, "rounding": plan}, quantity)
    assert line.exact == exact.exact
    assert line.amount_fen == sum(component.amount for component in line.components)
    assert abs(line.tail) <= Fraction(len(line.components), 2)


DAYS = st.dates(date(2023, 1, 1), date(2027, 12, 31))


@given(st.lists(DAYS, min_size=2, max_size=6, unique=True).map(sorted), st.integers(1, 31), st.booleans())
def test_adjacent_parts_of_a_time_add_up(days: list[date], anchor_day: int, actual: bool) -> None:  # noqa: FBT001 - drawn
    rule = Proration.ACTUAL_DAYS if actual else Proration.THIRTY_DAYS
    anchor = date(2023, 1, anchor_day)
    parts = [sum(month_shares(Period(low, high), rule, anchor)) for low, high in pairwise(days)]
    assert sum(parts) == sum(month_shares(Period(days[0], days[-1]), rule, anchor))


@given(st.dates(date(2000, 1, 1), date(2099, 1, 31)), st.integers(0, 40), st.sampled_from(list(Proration)))
def test_a_whole_month_from_any_anchor_is_exactly_one(anchor: date, count: int, rule: Proration) -> None:
    assert month_shares(nth_period(anchor, count), rule, anchor) == [Fraction(1)]


@given(st.integers(0, 20_000), st.integers(0, 10**6), st.sampled_from([10, 100, 1000]))
def test_rescaling_quantity_and_price_together_changes_nothing(milli: int, quantity: int, factor: int) -> None:
    price = f"{Decimal(milli).scaleb(-3):f}"
    finer = f"{Decimal(milli).scaleb(-3) / factor:f}"
    whole, scaled = rate(unit_price(price), usage(quantity)), rate(unit_price(finer), usage(quantity * factor))
    assert whole.amount_fen == scaled.amount_fen


def test_an_amount_beyond_64_bits_is_refused_and_never_wraps() -> None:
    dear = unit_price("1000000")
    assert rate(dear, usage(9 * 10**6)).amount_fen == 9 * 10**11
    for quantity in (10**7, INT64_MAX):
        with pytest.raises(RatingRefusedError, match="does not fit 64 bits") as refusal:
            rate(dear, usage(quantity))
        assert refusal.value.kind is RefusalKind.TOO_LARGE


@given(strategies.sessions(), st.integers(0, 365 * 24 * 60), st.integers(0, 4000))
def test_a_session_costs_what_counting_its_minutes_gives(session: Document, start: int, minutes: int) -> None:
    entry = datetime(2026, 1, 1, tzinfo=ZONE) + timedelta(minutes=start)
    end = entry + timedelta(minutes=minutes)
    tariff = compiled(body(session=session))
    visit = Visit(entry=entry.astimezone(UTC), exit=end.astimezone(UTC))
    request = RatingRequest(period=JUNE, session=Session(visits=(visit,), zone=ZONE, zone_name="Asia/Shanghai"))
    line = rate(tariff, request)
    assert line.exact == oracle.session_total(session, entry, end) * FEN
    keys = [component.key for component in line.components]
    assert len(keys) == len(set(keys))


def test_a_free_stay_is_told_and_not_left_out() -> None:
    tariff = compiled(
        {
            "format": "gatehouse-tariff/1",
            "code": "p",
            "name": "p",
            "session": {"free": {"minutes": 30}, "blocks": [{"every": 60, "price": "5"}]},
        }
    )
    entry = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
    visit = Visit(entry=entry, exit=entry + timedelta(minutes=20))
    line = rate(tariff, RatingRequest(period=JUNE, session=Session(visits=(visit,), zone=ZONE, zone_name="x")))
    assert [(item.kind, item.quantity) for item in line.components] == [(ComponentKind.FREE, Fraction(20))]
