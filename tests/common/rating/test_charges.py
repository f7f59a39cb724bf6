"""Charges one by one: windows with tiers, election of the better plan, shares, seasons, times, late charges."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pytest

from common.civil import Period
from common.errors import FaultsError, RefusalError
from common.rating.engine import rate
from common.rating.line import RatedLine
from common.rating.proration import month_shares, months_of
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.request import Debt, RatingRequest
from common.rating.share import UnweighedError, apportion, split_pool, weigh
from common.rating.usage_document import read_request
from common.rating.windows import WindowFinder, usage_by_window
from common.tariff.model import Proration
from tests.common.tariff import library
from tests.common.tariff.builders import JUNE, tariff, unit_price, usage, written

WINDOWS = [{"name": "peak", "times": ["08:00-22:00"]}, {"name": "valley", "times": ["22:00-08:00"]}]
PRICES = {"peak": ["1", "2"], "valley": ["0.5", "1.5"]}


def windowed(order: str, request: dict[str, Any]) -> RatedLine:
    compiled = tariff(
        windows=WINDOWS,
        tiers={"bounds": ["100"], "windows": order},
        charges=[{"key": "e", "by_window": PRICES}],
    )
    return rate(compiled, RatingRequest(**{"period": JUNE, **request}))


@pytest.mark.parametrize(
    ("order", "request_fields", "fen"),
    [
        ("proportional", {"windows_milli": {"peak": 120_000, "valley": 80_000}}, 6_000 + 12_000 + 2_000 + 6_000),
        ("in_order", {"windows_milli": {"peak": 120_000, "valley": 80_000}}, 10_000 + 4_000 + 12_000),
        ("in_order", {"windows_milli": {"valley": 80_000, "peak": 120_000}}, 10_000 + 4_000 + 12_000),
        ("separate", {"windows_milli": {"peak": 120_000, "valley": 80_000}}, 10_000 + 4_000 + 4_000),
        (
            "separate",
            {"windows_milli": {"peak": 20_000, "valley": 80_000}, "prior_windows_milli": {"peak": 90_000}},
            1_000 + 2_000 + 4_000,
        ),
        ("proportional", {"windows_milli": {"peak": 0, "valley": 0}}, 0),
        ("proportional", {"windows_milli": {"peak": 50_000, "valley": 0}, "prior_milli": 100_000}, 10_000),
    ],
)
def test_windows_meet_tiers_as_the_tariff_says(order: str, request_fields: dict[str, Any], fen: int) -> None:
    assert windowed(order, request_fields).amount_fen == fen


def test_windows_and_a_total_that_agree_are_one_usage() -> None:
    both = {"windows_milli": {"peak": 120_000, "valley": 80_000}, "quantity_milli": 200_000}
    assert windowed("in_order", both).amount_fen == 26_000


def test_a_formula_may_name_the_usage_of_a_window_and_a_price_may_be_a_whole_number() -> None:
    compiled = tariff(windows=WINDOWS, charges=[{"key": "a", "amount": "usage_peak * 2"}, {"key": "b", "price": 3}])
    request = RatingRequest(period=JUNE, windows_milli={"peak": 5_000, "valley": 1_000})
    assert rate(compiled, request).amount_fen == 1_000 + 1_800


def test_an_adjustment_holds_only_under_its_condition() -> None:
    relief = [{"discount": "0.3", "when": {"vacant": {"from": "1"}}}]
    fee = tariff(charges=[{"key": "fee", "quantity": "area", "price": "1"}], adjust=relief)
    facts = {"area_milli": 100_000}
    assert rate(fee, RatingRequest(period=JUNE, facts={**facts, "vacant": 1})).amount_fen == 7_000
    assert rate(fee, RatingRequest(period=JUNE, facts={**facts, "vacant": 0})).amount_fen == 10_000


def test_two_arithmetics_of_one_tariff_agree_to_the_cent() -> None:
    tiers = {"bounds": ["200", "400"]}
    prices = tariff(tiers=tiers, charges=[{"key": "e", "prices": ["0.588", "0.638", "0.888"]}])
    surcharges = tariff(
        tiers=tiers, charges=[{"key": "base", "price": "0.588"}, {"key": "s", "prices": ["0", "0.05", "0.30"]}]
    )
    for quantity in range(0, 600_000, 7_777):
        assert rate(prices, usage(quantity)).amount_fen == rate(surcharges, usage(quantity)).amount_fen


def test_the_cheapest_plan_is_used_when_the_tariff_promises_the_better_of_two() -> None:
    better = tariff(
        cheapest_plan=True,
        cases=[
            {"key": "flat", "charges": [{"key": "e", "price": "0.6"}]},
            {"key": "tiers", "tiers": {"bounds": ["100"]}, "charges": [{"key": "e", "prices": ["0.5", "0.9"]}]},
        ],
    )
    assert [rate(better, usage(quantity)).plan.en for quantity in (50_000, 300_000)] == ["tiers", "flat"]
    assert rate(better, usage(300_000)).amount_fen == 18_000


def test_a_facility_of_a_new_kind_is_a_tariff_and_no_code() -> None:
    charging = tariff(
        windows=WINDOWS,
        facts={"idle_minutes": {"scale": "count"}},
        charges=[
            {"key": "energy", "by_window": {"peak": "1.2", "valley": "0.4"}},
            {"key": "service", "price": "0.6"},
            {"key": "idle", "quantity": "max(idle_minutes - 15, 0)", "price": "0.5"},
        ],
        adjust=[{"cap": "100"}],
    )
    request = written(charging, {"windows": {"peak": "10", "valley": "20"}, "facts": {"idle_minutes": "45"}})
    assert rate(charging, request).amount_fen == 1_200 + 800 + 1_800 + 1_500


@pytest.mark.parametrize(("per", "fen"), [("once", 1_200), ("day", 1_200 * 45), ("month", 1_800), ("year", 150)])
def test_a_price_stands_for_a_time(per: str, fen: int) -> None:
    fee = tariff(proration="thirty_days", charges=[{"key": "fee", "amount": "12", "per": per}])
    assert rate(fee, RatingRequest(period=Period(date(2026, 6, 1), date(2026, 7, 16)))).amount_fen == fen


@pytest.mark.parametrize(
    ("rule", "start", "end", "months"),
    [
        (Proration.ACTUAL_DAYS, "2026-06-11", "2026-07-01", "20/30"),
        (Proration.ACTUAL_DAYS, "2024-02-15", "2024-03-01", "15/29"),
        (Proration.THIRTY_DAYS, "2026-02-15", "2026-03-01", "16/30"),
        (Proration.THIRTY_DAYS, "2026-01-31", "2026-02-01", "0"),
        (Proration.THIRTY_DAYS, "2026-01-01", "2026-01-31", "1"),
        (Proration.STARTED_MONTHS, "2026-06-30", "2026-07-02", "2"),
        (Proration.WHOLE_MONTHS, "2026-06-02", "2026-08-01", "1"),
        (Proration.NONE, "2026-06-01", "2026-08-01", "2"),
    ],
)
def test_parts_of_months_count_as_the_rule_says(rule: Proration, start: str, end: str, months: str) -> None:
    period = Period(date.fromisoformat(start), date.fromisoformat(end))
    assert sum(month_shares(period, rule)) == Fraction(months)


def test_months_are_counted_from_an_anchor_of_years_ago_and_only_those_touched() -> None:
    period = Period(date(2026, 3, 1), date(2026, 4, 1))
    found = [str(month) for month in months_of(period, date(2024, 1, 31))]
    assert found == ["2026-02-28..2026-03-31", "2026-03-31..2026-04-30"]
    assert month_shares(period, Proration.ACTUAL_DAYS, date(2024, 1, 31)) == [Fraction(30, 31), Fraction(1, 30)]


def test_months_are_counted_back_from_an_anchor_of_years_to_come() -> None:
    found = [str(month) for month in months_of(Period(date(2026, 3, 1), date(2026, 4, 1)), date(2028, 1, 31))]
    assert found == ["2026-02-28..2026-03-31", "2026-03-31..2026-04-30"]


def test_built_in_names_say_what_the_request_says() -> None:
    names = ["usage", "prior", "days", "months", "month", "year_days", "bill_days", "first_year_days", "part", "parts"]
    charges = [{"key": name, "amount": name} for name in [*names, "twice"]]
    compiled = tariff(values={"twice": "usage * 2"}, charges=charges)
    bill = Period(date(2024, 12, 1), date(2025, 2, 1))
    request = RatingRequest(
        period=Period(date(2025, 1, 1), date(2025, 2, 1)),
        quantity_milli=5_000,
        prior_milli=7_000,
        bill=bill,
        part=2,
        parts=2,
    )
    amounts = {item.key: item.amount / 100 for item in rate(compiled, request).components}
    assert amounts == {
        "usage": 5, "prior": 7, "days": 31, "months": 1, "month": 1, "year_days": 365, "bill_days": 62,
        "first_year_days": 366, "part": 2, "parts": 2, "twice": 10,
    }  # fmt: skip


def test_usage_of_intervals_falls_into_windows_by_the_clock_on_the_wall() -> None:
    compiled = tariff(windows=WINDOWS, charges=[{"key": "e", "by_window": {"peak": "1", "valley": "0.5"}}])
    finder = WindowFinder(compiled.document.windows, library.SHANGHAI.zone, None)
    starts = [datetime(2026, 6, 1, hour, tzinfo=UTC) for hour in range(24)]
    assert usage_by_window(finder, [(start, 100) for start in starts]) == {"peak": 1_400, "valley": 1_000}
    assert usage_by_window(finder, [(starts[0], 100)]) == {"peak": 100, "valley": 0}
    assert usage_by_window(finder, []) == {}
    nothing = WindowFinder(compiled.document.windows[:1], library.SHANGHAI.zone, None)
    with pytest.raises(RatingRefusedError, match="no window holds 2026-06-02 06:00"):
        nothing.at(starts[22])


SHARED = {"charges": [{"key": "pool", "price": "0.5588"}]}


@pytest.mark.parametrize(
    ("weight", "facts", "parts"),
    [
        ("area", [{"area_milli": 60_000}, {"area_milli": 40_000}], [600, 400]),
        ("households", [{"households": 1}, {"households": 1}], [500, 500]),
        ("persons", [{"persons": 3}, {"persons": 1}], [750, 250]),
        ("area * coefficient", [{"area_milli": 1, "coefficient_milli": 300}] * 2, [500, 500]),
        ("area * (floor > 1)", [{"area_milli": 5, "floor": 1}, {"area_milli": 5, "floor": 9}], [0, 1_000]),
        ("usage", [{"usage": 7_000}, {"usage": 3_000}], [700, 300]),
    ],
)
def test_a_pool_is_shared_by_any_weight(weight: str, facts: list[dict[str, int]], parts: list[int]) -> None:
    compiled = tariff(**SHARED, share={"weight": weight})
    requests = {
        str(n): RatingRequest(
            period=JUNE, quantity_milli=own.get("usage"), facts={key: own[key] for key in own if key != "usage"}
        )
        for n, own in enumerate(facts)
    }
    shares = split_pool(1_000, weigh(compiled, requests))
    assert [share.part_fen for share in shares.values()] == parts
    assert {(share.pool_fen, share.sharers) for share in shares.values()} == {(1_000, 2)}
    assert {share.weights for share in shares.values()} == {sum(share.weight for share in shares.values())}
    line = rate(compiled, RatingRequest(period=JUNE, share=shares["0"]))
    assert line.amount_fen == parts[0]


def test_premises_the_rule_excludes_pay_nothing_and_unknown_ones_stop_the_split() -> None:
    compiled = tariff(**SHARED, share={"weight": "area", "when": {"vacant": {"to": "0"}}})
    lived = RatingRequest(period=JUNE, facts={"area_milli": 90_000, "vacant": 0})
    empty = RatingRequest(period=JUNE, facts={"area_milli": 90_000, "vacant": 1})
    assert list(weigh(compiled, {"a": lived, "b": empty})) == ["a"]
    unknown = RatingRequest(period=JUNE, facts={"vacant": 0})
    with pytest.raises(UnweighedError, match="c: no_fact: area_milli is not known; d: no_fact: ") as refusal:
        weigh(compiled, {"a": lived, "c": unknown, "d": RatingRequest(period=JUNE)})
    assert {key: reason.kind for key, reason in refusal.value.reasons.items()} == {
        "c": RefusalKind.NO_FACT,
        "d": RefusalKind.NO_FACT,
    }
    with pytest.raises(RatingRefusedError, match="test/tariff is not shared") as unshared:
        weigh(unit_price("1"), {})
    assert unshared.value.kind is RefusalKind.NO_PLAN
    with pytest.raises(RefusalError, match="over nobody"):
        apportion(100, {})


@pytest.mark.parametrize(
    ("rule", "due", "paid", "fen"),
    [
        ({}, "2026-06-01", "2026-06-01", 0),
        ({}, "2026-06-01", "2026-05-20", 0),
        ({}, "2026-06-01", "2026-06-11", 1_000),
        ({"counts": ["due_day", "paid_day"]}, "2026-06-01", "2026-06-11", 1_100),
        ({"counts": []}, "2026-06-01", "2026-06-11", 900),
        ({"day_count": "thirty_day_months"}, "2026-01-31", "2026-03-01", 3_100),
        ({"day_count": "thirty_day_months"}, "2026-06-01", "2026-07-01", 3_000),
        ({"rate_per_day_later_years": "0.002"}, "2026-12-22", "2027-01-05", 900 + 1_000),
        ({"rate_per_day_later_years": "0.002"}, "2026-12-22", "2026-12-25", 300),
        ({"rate_per_day_later_years": "0.002", "grace_days": 20}, "2026-12-22", "2027-01-15", 800),
        ({"cap_share": "0.05"}, "2026-06-01", "2026-07-01", 3_000),
        ({"cap_share": "0.02"}, "2026-06-01", "2026-07-01", 2_000),
        ({"excluded": ["deposit"]}, "2026-06-01", "2026-07-01", 0),
    ],
)
def test_a_late_charge_on_a_thousand_yuan_counts_days(rule: dict[str, Any], due: str, paid: str, fen: int) -> None:
    compiled = tariff(late_charge={"rate_per_day": "0.001", **rule}, adjust=[{"minimum": "0.5"}])
    kind = "deposit" if "excluded" in rule else "rent"
    debt = Debt(key="1", amount_fen=100_000, due=date.fromisoformat(due), kind=kind)
    request = RatingRequest(period=JUNE, debts=(debt,), paid_on=date.fromisoformat(paid))
    assert rate(compiled, request).amount_fen == fen


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ({"period": ["2026-07-01", "2026-06-01"]}, "period: it is no period"),
        ({"period": ["2026-07-01"]}, "period: it is no period"),
        ({}, "period"),
        ({"quantity": "1.2345"}, "quantity"),
        ({"quantity": "-1"}, "quantity: -1 is negative"),
        ({"quantity": "\uff15"}, "quantity"),
        ({"facts": {"size": "1"}}, "facts.size: the tariff has no such fact"),
        ({"traits": {"class": "a"}}, "traits.class: the tariff has no such trait"),
        ({"visits": [["tomorrow", None]]}, "visits.0.0: Invalid isoformat string: 'tomorrow'"),
        ({"usage": "5"}, "usage: the field is unknown"),
        ({"part": 0}, "part: 0 is out of range"),
        ({"debts": [{"key": "1", "amount": "x", "due": "2026-01-01"}]}, "debts[0].amount"),
    ],
)
def test_a_broken_request_is_refused_with_the_fault_named(source: dict[str, Any], fault: str) -> None:
    period = {} if not source or "visits" in source else {"period": ["2026-06-01", "2026-07-01"]}
    with pytest.raises(FaultsError) as refusal:
        read_request({**period, **source}, unit_price("1").document, library.SHANGHAI)
    assert [found for found in map(str, refusal.value.faults) if fault in found], refusal.value


def test_a_written_request_says_all_that_a_request_can() -> None:
    compiled = tariff(windows=WINDOWS, charges=[{"key": "e", "by_window": {"peak": "1", "valley": "0.5"}}])
    source = {
        "bill": ["2026-05-01", "2026-07-01"], "part": 2, "parts": 2, "prior": "3", "carried": "0.5",
        "hourly": {"07": "1", "21": "2"}, "prior_windows": {"peak": "4"}, "anchor": "2026-06-15",
        "facts": {"area": "88.53"}, "traits": {"metering": "windows"}, "paid_on": "2026-07-01",
        "visits": [["2026-06-01T08:00", None]], "paid_at": "2026-06-01T09:00", "granted_minutes": 30,
        "debts": [{"key": "1", "amount": "5.00", "due": "2026-01-01", "kind": "rent"}],
        "period": ["2026-06-01", "2026-07-01"],
    }  # fmt: skip
    request = read_request(source, compiled.document, library.SHANGHAI)
    assert request.windows_milli == {"valley": 1_000, "peak": 2_000}
    assert request.facts == {"area_milli": 88_530}
    plain = request.to_plain()
    assert plain["part"] == [2, 2]
    assert plain["debts"] == [["1", 500, "2026-01-01", "rent"]]
    assert plain["session"] == {
        "visits": [["2026-06-01T00:00:00+00:00", None]],
        "zone": "Asia/Shanghai",
        "granted_minutes": 30,
        "paid_at": "2026-06-01T01:00:00+00:00",
    }


def test_a_rebate_a_month_is_given_for_each_month() -> None:
    fee = tariff(charges=[{"key": "fee", "amount": "10", "per": "month"}], adjust=[{"rebate": "3", "per": "month"}])
    assert rate(fee, RatingRequest(period=Period(date(2026, 5, 1), date(2026, 7, 1)))).amount_fen == 2_000 - 600
