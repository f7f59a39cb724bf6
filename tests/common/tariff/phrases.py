"""What the tariff language was asked to say of metered and standing charges: each phrase with its least tariff, priced.

The phrases stand as they were asked, so that a reader can check the list off; the figures are worked out by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Fields = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A phrase, the tariff that says it, and what requests come to in fen."""

    phrase: str
    tariff: Fields
    priced: Sequence[tuple[Fields, int]] = field(default_factory=list)


def one(**charge: Any) -> dict[str, Any]:
    """Return the fields of a tariff with one charge."""
    return {"charges": [{"key": "c", **charge}]}


def units(quantity: str, **fields: Any) -> dict[str, Any]:
    """Return a request of so many units."""
    return {"quantity": quantity, **fields}


def facts(**values: str) -> dict[str, Any]:
    """Return a request of facts alone."""
    return {"facts": values}


TIERED = {"tiers": {"bounds": ["100", "200"]}, **one(prices=["1", "2", "3"])}


def accumulated(over: Any, bound: str = "100") -> dict[str, Any]:
    """Return two tiers over an accumulation span."""
    return {"accumulate": over, "tiers": {"bounds": [bound]}, **one(prices=["1", "2"])}


PEAK = {"name": "peak", "times": ["08:00-22:00"]}
VALLEY = {"name": "valley", "times": ["22:00-08:00"]}
HEATING = [
    {"name": "valley", "months": [11, 12, 1, 2, 3], "times": ["20:00-08:00"]},
    {"name": "valley", "times": ["22:00-08:00"]},
    {"name": "peak", "times": ["00:00-24:00"]},
]
WORKED = [
    {"name": "peak", "days": ["workday"], "times": ["08:00-22:00"]},
    {"name": "valley", "times": ["00:00-24:00"]},
]
BY_WINDOW = one(by_window={"peak": "1", "valley": "0.5"})

PRICES = (
    Case(phrase="flat", tariff=one(amount="12"), priced=[({}, 1_200)]),
    Case(phrase="per unit", tariff=one(price="0.5"), priced=[(units("30"), 1_500)]),
    Case(phrase="per area", tariff=one(quantity="area", price="2"), priced=[(facts(area="88.53"), 17_706)]),
    Case(phrase="per household", tariff=one(quantity="households", price="8"), priced=[(facts(households="3"), 2_400)]),
    Case(
        phrase="per band",
        tariff={"tiers": {"bounds": ["90", "140"], "mode": "band"}, **one(quantity="area", prices=["5", "8", "11"])},
        priced=[(facts(area="90"), 500), (facts(area="90.01"), 800), (facts(area="200"), 1_100)],
    ),
    Case(phrase="graduated tiers", tariff=TIERED, priced=[(units("250"), 10_000 + 20_000 + 15_000)]),
    Case(
        phrase="volume tiers",
        tariff={**TIERED, "tiers": {"bounds": ["100", "200"], "mode": "volume"}},
        priced=[(units("100"), 10_000), (units("250"), 75_000)],
    ),
)

SPANS = (
    Case(
        phrase="annual accumulation",
        tariff=accumulated({"over": "year"}),
        priced=[(units("30", prior="90"), 1_000 + 4_000)],
    ),
    Case(
        phrase="seasonal accumulation",
        tariff=accumulated({"starts": ["05-01", "11-01"]}),
        priced=[(units("30", prior="90"), 5_000), (units("30"), 3_000)],
    ),
    Case(phrase="monthly accumulation", tariff=accumulated({"over": "month"}), priced=[(units("120"), 14_000)]),
    Case(
        phrase="multi-month accumulation",
        tariff={**accumulated({"over": "two_months"}), "tiers": {"bounds": ["100"], "scale": "months"}},
        priced=[({"period": ["2026-05-01", "2026-07-01"], **units("230")}, 20_000 + 6_000)],
    ),
    Case(
        phrase="odd-start accumulation years",
        tariff=accumulated({"starts": ["12-01"]}),
        priced=[({"period": ["2026-11-01", "2026-12-01"], **units("30", prior="90")}, 5_000)],
    ),
    Case(
        phrase="household-size uplifts once",
        tariff={"tiers": {"bounds": ["100"], "uplift": {"persons_from": 5, "once": "50"}}, **one(prices=["1", "2"])},
        priced=[(units("160", **facts(persons="4")), 22_000), (units("160", **facts(persons="7")), 17_000)],
    ),
    Case(
        phrase="household-size uplifts per person",
        tariff={"tiers": {"bounds": ["persons * 50"]}, **one(prices=["1", "2"])},
        priced=[(units("160", **facts(persons="3")), 17_000)],
    ),
    Case(
        phrase="household-size uplifts above n",
        tariff={"tiers": {"bounds": ["100"], "uplift": {"persons_from": 5, "each": "10"}}, **one(prices=["1", "2"])},
        priced=[(units("160", **facts(persons="4")), 22_000), (units("160", **facts(persons="6")), 20_000)],
    ),
)

WINDOWS = (
    Case(
        phrase="time-of-use",
        tariff={"windows": [PEAK, VALLEY], **BY_WINDOW},
        priced=[({"windows": {"peak": "10", "valley": "20"}}, 2_000)],
    ),
    Case(
        phrase="time-of-use with seasons",
        tariff={
            "windows": [PEAK, VALLEY],
            "cases": [
                {
                    "key": "summer",
                    "when": {"start_months": [6, 7, 8]},
                    "charges": [{"key": "c", "by_window": {"peak": "2", "valley": "0.5"}}],
                },
                {"key": "rest", "charges": [{"key": "c", "by_window": {"peak": "1", "valley": "0.5"}}]},
            ],
        },
        priced=[
            ({"windows": {"peak": "10", "valley": "20"}}, 3_000),
            ({"period": ["2026-05-01", "2026-06-01"], "windows": {"peak": "10", "valley": "20"}}, 2_000),
        ],
    ),
    Case(
        phrase="heating months",
        tariff={"windows": HEATING, **BY_WINDOW},
        priced=[
            ({"period": ["2026-01-01", "2026-02-01"], "hourly": {"12": "1", "21": "10"}}, 100 + 500),
            ({"hourly": {"07": "1", "21": "10"}}, 50 + 1_000),
        ],
    ),
    Case(
        phrase="working days",
        tariff={"windows": WORKED, **BY_WINDOW},
        priced=[
            ({"period": ["2026-06-18", "2026-06-19"], "hourly": {"07": "1", "12": "10"}}, 50 + 1_000),
            ({"period": ["2026-06-20", "2026-06-21"], "hourly": {"12": "10"}}, 500),
        ],
    ),
    Case(
        phrase="swapped workdays",
        tariff={"windows": WORKED, **BY_WINDOW},
        priced=[({"period": ["2026-02-14", "2026-02-15"], "hourly": {"07": "1", "12": "10"}}, 50 + 1_000)],
    ),
    Case(
        phrase="several windows",
        tariff={
            "windows": [
                {"name": "sharp", "times": ["11:00-13:00", "16:00-17:00"]},
                {"name": "peak", "times": ["09:00-12:00", "17:00-22:00"]},
                {"name": "flat", "times": ["00:00-24:00"]},
            ],
            **one(by_window={"sharp": "3", "peak": "2", "flat": "1"}),
        },
        priced=[
            ({"hourly": {"09": "1", "11": "1", "12": "1", "16": "1", "17": "1", "23": "1"}}, 200 + 900 + 200 + 100)
        ],
    ),
    Case(
        phrase="tiers after time-of-use",
        tariff={
            "windows": [PEAK, VALLEY],
            "tiers": {"bounds": ["100"], "windows": "separate"},
            **one(by_window={"peak": ["1", "2"], "valley": ["0.5", "1.5"]}),
        },
        priced=[({"windows": {"peak": "120", "valley": "80"}}, 10_000 + 4_000 + 4_000)],
    ),
    Case(
        phrase="tiers before time-of-use",
        tariff={
            "windows": [PEAK, VALLEY],
            "tiers": {"bounds": ["100"], "windows": "proportional"},
            **one(by_window={"peak": ["1", "2"], "valley": ["0.5", "1.5"]}),
        },
        priced=[({"windows": {"peak": "120", "valley": "80"}}, 6_000 + 12_000 + 2_000 + 6_000)],
    ),
    Case(
        phrase="different surcharges per window",
        tariff={
            "windows": [PEAK, VALLEY],
            "tiers": {"bounds": ["100"], "windows": "in_order"},
            "charges": [
                {"key": "base", "by_window": {"peak": "1", "valley": "0.5"}},
                {"key": "extra", "by_window": {"peak": ["0", "0.3"], "valley": ["0", "0.1"]}},
            ],
        },
        priced=[({"windows": {"peak": "120", "valley": "80"}}, 12_000 + 4_000 + 600 + 800)],
    ),
)

COMPOSITION = (
    Case(
        phrase="components in one price",
        tariff={
            "tiers": {"bounds": ["10"]},
            "charges": [
                {"key": "water", "prices": ["2", "3"]},
                {"key": "resource", "price": "0.2"},
                {"key": "sewage", "quantity": "usage * 0.9", "price": "1.2"},
                {"key": "waste", "quantity": "usage", "price": "0.5"},
            ],
        },
        priced=[(units("20"), 2_000 + 3_000 + 400 + 2_160 + 1_000)],
    ),
    Case(
        phrase="elected alternatives: the better of two",
        tariff={
            "cheapest_plan": True,
            "cases": [
                {"key": "flat", "charges": [{"key": "c", "price": "0.6"}]},
                {"key": "tiers", "tiers": {"bounds": ["100"]}, "charges": [{"key": "c", "prices": ["0.5", "0.9"]}]},
            ],
        },
        priced=[(units("50"), 2_500), (units("300"), 18_000)],
    ),
    Case(
        phrase="elected alternatives: flat for large families",
        tariff={
            "traits": {"plan": {"choices": ["tiers", "large_family"], "default": "tiers"}},
            "cases": [
                {"key": "large", "when": {"plan": "large_family", "persons": {"from": "5"}}, **one(price="0.6")},
                {"key": "tiers", "tiers": {"bounds": ["100"]}, **one(prices=["0.5", "0.9"])},
            ],
        },
        priced=[
            (units("300", traits={"plan": "large_family"}, **facts(persons="6")), 18_000),
            (units("300", traits={"plan": "large_family"}, **facts(persons="4")), 23_000),
            (units("300"), 23_000),
        ],
    ),
    Case(
        phrase="whole units with the fraction carried on",
        tariff={"whole_units": {"size": "1"}, **one(price="2")},
        priced=[(units("10.7", carried="0.5"), 2_200), (units("10.4"), 2_000)],
    ),
    Case(phrase="minimum", tariff={**one(price="1"), "adjust": [{"minimum": "9"}]}, priced=[(units("3"), 900)]),
    Case(phrase="cap", tariff={**one(price="1"), "adjust": [{"cap": "9"}]}, priced=[(units("30"), 900)]),
    Case(phrase="discount", tariff={**one(price="1"), "adjust": [{"discount": "0.15"}]}, priced=[(units("30"), 2_550)]),
    Case(
        phrase="vacancy relief",
        tariff={
            **one(quantity="area", price="2"),
            "adjust": [{"discount": "0.3", "when": {"vacant": {"from": "1"}}}],
        },
        priced=[(facts(area="100", vacant="1"), 14_000), (facts(area="100", vacant="0"), 20_000)],
    ),
    Case(phrase="free allowance", tariff={"free_allowance": "10", **one(price="1")}, priced=[(units("30"), 2_000)]),
)

FEE = one(quantity="area", price="3.1", per="month")
HALF = {"period": ["2026-05-17", "2026-07-01"], **facts(area="100")}
PRORATION = (
    Case(phrase="days of the month", tariff={"proration": "actual_days", **FEE}, priced=[(HALF, 15_000 + 31_000)]),
    Case(
        phrase="30-day months",
        tariff={"proration": "thirty_days", **FEE},
        priced=[({"period": ["2026-05-16", "2026-07-01"], **facts(area="100")}, 15_500 + 31_000)],
    ),
    Case(phrase="whole periods", tariff={"proration": "whole_months", **FEE}, priced=[(HALF, 31_000)]),
    Case(
        phrase="none",
        tariff={"proration": "none", **FEE},
        priced=[({"period": ["2026-05-01", "2026-07-01"], **facts(area="100")}, 62_000)],
    ),
)


def rounded(*steps: Mapping[str, str]) -> dict[str, Any]:
    """Return a fee of a third of a yuan a square metre and month, rounded by a plan."""
    return {**one(quantity="area", price="0.333", per="month"), "rounding": list(steps)}


TWO_MONTHS = {"period": ["2026-05-01", "2026-07-01"], **facts(area="0.5")}
ROUNDING = (
    Case(phrase="rounding per line", tariff=rounded({"stage": "line", "to": "0.01"}), priced=[(TWO_MONTHS, 33)]),
    Case(
        phrase="rounding per month",
        tariff=rounded({"stage": "month", "to": "0.01"}, {"stage": "line", "to": "0.01"}),
        priced=[(TWO_MONTHS, 34)],
    ),
    Case(phrase="rounding to fen", tariff=rounded({"stage": "line", "to": "0.01"}), priced=[(facts(area="10"), 333)]),
    Case(phrase="rounding to jiao", tariff=rounded({"stage": "line", "to": "0.1"}), priced=[(facts(area="10"), 330)]),
    Case(phrase="rounding to yuan", tariff=rounded({"stage": "line", "to": "1"}), priced=[(facts(area="10"), 300)]),
    Case(
        phrase="rounding half-up",
        tariff=rounded({"stage": "line", "to": "0.01", "mode": "half_up"}),
        priced=[(facts(area="1.5"), 50), (facts(area="2.5"), 83), (facts(area="0.5"), 17)],
    ),
    Case(
        phrase="rounding up",
        tariff=rounded({"stage": "line", "to": "0.01", "mode": "up"}),
        priced=[(facts(area="2.5"), 84)],
    ),
    Case(
        phrase="rounding down",
        tariff=rounded({"stage": "line", "to": "0.01", "mode": "down"}),
        priced=[(facts(area="0.5"), 16)],
    ),
    Case(
        phrase="rounding half-even",
        tariff={**one(price="0.005"), "rounding": [{"stage": "line", "to": "0.01", "mode": "half_even"}]},
        priced=[(units("1"), 0), (units("3"), 2), (units("5"), 2)],
    ),
)

SHARED_METERS = (
    Case(
        phrase="shared meters with household allowances",
        tariff={"tiers": {"bounds": ["100 * households"]}, **one(prices=["1", "2"])},
        priced=[(units("350", **facts(households="3")), 30_000 + 10_000)],
    ),
    Case(
        phrase="shared meters with person allowances",
        tariff={"tiers": {"bounds": ["30 * households + 30 * persons"]}, **one(prices=["1", "2"])},
        priced=[(units("350", **facts(households="2", persons="6")), 24_000 + 22_000)],
    ),
)

CHARGING = (
    Case(
        phrase="charging sessions: energy by window, service, idle fee",
        tariff={
            "windows": [PEAK, VALLEY],
            "facts": {"idle_minutes": {"scale": "count"}},
            "charges": [
                {"key": "energy", "by_window": {"peak": "1.2", "valley": "0.4"}},
                {"key": "service", "price": "0.6"},
                {"key": "idle", "quantity": "max(idle_minutes - 15, 0)", "price": "0.5"},
            ],
        },
        priced=[
            ({"windows": {"peak": "10", "valley": "20"}, **facts(idle_minutes="45")}, 1_200 + 800 + 1_800 + 1_500),
            ({"windows": {"peak": "10", "valley": "20"}, **facts(idle_minutes="5")}, 1_200 + 800 + 1_800),
        ],
    ),
)
