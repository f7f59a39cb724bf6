"""Estimates of a register: each method by hand-worked figures, none from nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cloud.metering.filling_rules import Known, Lookup, Method, asked_days, last_sure, proposals, sure
from cloud.metering.usage import RegisterRef
from common.civil import midnight
from common.reading.reading import Quality, Quantity
from tests.cloud.metering.building import ZONE, meter

DAY = date(2026, 4, 1)
DIGITS = 6


def registers(values: Mapping[date, int | tuple[int, Quality]]) -> Lookup:
    def at(day: date) -> RegisterRef | None:
        found = values.get(day)
        if found is None:
            return None
        value, quality = found if isinstance(found, tuple) else (found, Quality.GOOD)
        return RegisterRef(
            meter_id=meter(1),
            quantity=Quantity.ENERGY_FORWARD,
            read_at=midnight(day, ZONE),
            value_milli=value,
            quality=quality,
        )

    return at


def made(values: Mapping[date, int | tuple[int, Quality]], digits: int = DIGITS) -> dict[Method, int]:
    at = registers(values)
    last = last_sure(at, DAY, date(2020, 1, 1))
    return {} if last is None else {one.method: one.value_milli for one in proposals(at, DAY, last, digits)}


def test_each_method_by_hand() -> None:
    values = {
        date(2025, 3, 22): 5_000,
        date(2025, 4, 1): 6_000,  # 1.0 in these ten days a year ago
        date(2026, 1, 1): 90_000,
        date(2026, 3, 22): 98_000,  # 8.0 in eighty days: 0.1 a day
        date(2026, 4, 6): 101_000,  # 3.0 in fifteen days: 0.2 a day
    }
    assert made(values) == {Method.BETWEEN: 100_000, Method.YEAR_BEFORE: 99_000, Method.RECENT: 99_000}


def test_a_method_with_nothing_to_rest_on_says_nothing_and_never_zero() -> None:
    assert made({}) == {}
    assert made({date(2026, 3, 22): 98_000}) == {}
    assert made({date(2026, 3, 15): 97_000, date(2026, 3, 22): 98_000}) == {}  # a week is no pace


def test_doubtful_and_estimated_registers_carry_no_estimate() -> None:
    values: dict[date, int | tuple[int, Quality]] = {
        date(2026, 1, 1): 90_000,
        date(2026, 3, 22): (98_000, Quality.SUSPECT),
        DAY: (5, Quality.ESTIMATED),
    }
    assert sure(registers(values), DAY) is None
    assert last_sure(registers(values), DAY, date(2020, 1, 1)) == Known(day=date(2026, 1, 1), value_milli=90_000)
    assert last_sure(registers(values), DAY, date(2026, 1, 2)) is None


def test_a_register_that_ran_backwards_or_over_its_digits_gives_none() -> None:
    assert made({date(2026, 3, 22): 98_000, date(2026, 4, 6): 97_000}) == {}
    assert made({date(2026, 1, 1): 0, date(2026, 3, 22): 9_000}, digits=1) == {}


@given(
    used=st.integers(0, 10_000_000),
    before=st.integers(1, 30),
    after=st.integers(1, 30),
    start=st.integers(0, 900_000_000),
)
def test_a_line_between_two_registers_never_leaves_them(used: int, before: int, after: int, start: int) -> None:
    values = {DAY - timedelta(days=before): start, DAY + timedelta(days=after): start + used}
    value = made(values, digits=9)[Method.BETWEEN]
    assert start <= value <= start + used
    assert abs((value - start) * (before + after) - used * before) <= (before + after) / 2


def test_every_day_that_a_method_looks_at_is_asked_for() -> None:
    asked = asked_days(DAY)
    seen: set[date] = set()

    def at(day: date) -> RegisterRef | None:
        seen.add(day)
        return registers({DAY - timedelta(days=200): 1_000})(day)

    last = last_sure(at, DAY, date(2020, 1, 1))
    assert last is not None
    assert list(proposals(at, DAY, last, DIGITS)) == []
    assert seen <= asked
