"""What a tariff asks of a meter: windows told apart, or one total; a running total of each window, or of all."""

from __future__ import annotations

from typing import Any

import pytest

from common.tariff.document import parse_tariff
from common.tariff.window_use import counts_windows_apart, priced_by_window_only
from tests.common.tariff.builders import body

WINDOWS = [{"name": "day", "times": ["08:00-22:00"]}, {"name": "night", "times": ["22:00-08:00"]}]
BY_WINDOW = [{"key": "e", "by_window": {"day": "0.60", "night": "0.30"}}]
ONE_PRICE = [{"key": "e", "price": "0.50"}]
METERING = {"metering": {"choices": ["single", "windows"], "default": "windows"}}
YEAR = {"over": "year"}


def tiered(order: str | None) -> list[dict[str, Any]]:
    tiers: dict[str, Any] = {"bounds": ["100"]}
    if order is not None:
        tiers["windows"] = order
    return [{"key": "e", "tiers": tiers, "by_window": {"day": ["0.60", "0.70"], "night": ["0.30", "0.40"]}}]


def plans(*metering: str) -> list[dict[str, Any]]:
    charges = {"single": ONE_PRICE, "windows": BY_WINDOW}
    return [{"key": one, "when": {"metering": one}, "charges": charges[one]} for one in metering]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (body(charges=ONE_PRICE), False),
        (body(windows=WINDOWS, charges=BY_WINDOW), True),
        (body(windows=WINDOWS, traits=METERING, cases=plans("single", "windows")), False),
        (body(windows=WINDOWS, traits=METERING, cases=plans("windows", "single")), False),
        (body(windows=WINDOWS, traits=METERING, cases=plans("windows")), True),
    ],
)
def test_a_tariff_with_a_price_for_one_register_takes_any_meter(document: dict[str, Any], *, expected: bool) -> None:
    assert priced_by_window_only(parse_tariff(document)) is expected


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (body(accumulate=YEAR, charges=ONE_PRICE), False),
        (body(accumulate=YEAR, windows=WINDOWS, charges=BY_WINDOW), False),
        (body(accumulate=YEAR, windows=WINDOWS, charges=tiered("proportional")), False),
        (body(accumulate=YEAR, windows=WINDOWS, charges=tiered("in_order")), False),
        (body(accumulate=YEAR, windows=WINDOWS, charges=tiered("separate")), True),
        (body(accumulate={"over": "bill"}, windows=WINDOWS, charges=tiered("separate")), False),
        (body(accumulate=YEAR, windows=WINDOWS, charges=[*tiered("separate"), *[{**ONE_PRICE[0], "key": "f"}]]), True),
    ],
)
def test_only_tiers_of_each_window_over_a_span_ask_for_what_each_counted_before(
    document: dict[str, Any], *, expected: bool
) -> None:
    assert counts_windows_apart(parse_tariff(document)) is expected
