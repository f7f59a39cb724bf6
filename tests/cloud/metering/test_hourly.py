"""Hours of a meter and of what is made of several: sums by hand, and nothing known where a part is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.fleet.values import InstalledMeter
from cloud.metering.hourly import HOURS_A_DAY, VirtualMeter, hours_of, span_of, total, virtual_hours
from cloud.metering.registers import RegisterBook
from cloud.metering.usage import RegisterRef
from common.civil import Period
from common.errors import RefusalError
from common.ids import MeterId
from common.reading.reading import Quality, Quantity, Resource
from tests.cloud.metering.building import COMMUNITY, ZONE, at, meter

DAY = date(2026, 4, 1)


def virtual(**changes: object) -> VirtualMeter:
    fields: dict[str, object] = {
        "community_id": COMMUNITY,
        "virtual_id": UUID(int=1),
        "name": "公共照明",
        "resource": Resource.ELECTRICITY,
        "effective_from": DAY,
        "plus": frozenset({meter(1)}),
        "minus": frozenset({meter(2), meter(3)}),
    }
    return VirtualMeter(**(fields | changes))  # type: ignore[arg-type]


def placed(**changes: object) -> InstalledMeter:
    whole = InstalledMeter(
        meter_id=meter(1),
        serial="M",
        resource=Resource.ELECTRICITY,
        community_id=COMMUNITY,
        premises_id=None,
        parent_meter_id=None,
        multiplier_milli=40_000,
        digits=6,
        start=DAY,
        end=None,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def book(values: Mapping[int, int], quality: Quality = Quality.GOOD) -> RegisterBook:
    refs = [
        RegisterRef(
            meter_id=meter(1),
            quantity=Quantity.ENERGY_FORWARD,
            read_at=at(DAY, hour),
            value_milli=value,
            quality=quality,
        )
        for hour, value in values.items()
    ]
    return RegisterBook({(meter(1), Quantity.ENERGY_FORWARD): refs}, {}, ZONE)


def test_hours_are_differences_after_the_multiplier() -> None:
    hours = hours_of(book({hour: 100 + hour * 2 for hour in range(25)}), placed(), DAY, ZONE)
    assert hours == [80] * HOURS_A_DAY
    assert total(hours) == 80 * HOURS_A_DAY


def test_an_hour_without_a_sure_register_at_both_ends_is_not_known() -> None:
    values = {hour: 100 + hour for hour in range(25) if hour != 5}
    hours = hours_of(book(values), placed(), DAY, ZONE)
    assert [n for n, used in enumerate(hours) if used is None] == [4, 5]
    assert total(hours) is None
    assert hours_of(book(values, Quality.SUSPECT), placed(), DAY, ZONE) == [None] * HOURS_A_DAY
    backwards = hours_of(book({0: 9, 1: 5, 2: 6}), placed(), DAY, ZONE)
    assert backwards[:3] == [None, 40, None]


def test_a_span_is_of_the_billed_register() -> None:
    span = span_of(placed(), Period(DAY, DAY + timedelta(days=1)))
    assert (span.quantity, span.multiplier_milli, span.digits) == (Quantity.ENERGY_FORWARD, 40_000, 6)


@given(st.lists(st.tuples(*[st.none() | st.integers(0, 10**9)] * 3), min_size=24, max_size=24))
def test_a_virtual_hour_is_its_sum_exactly_or_not_known(hours: list[tuple[int | None, int | None, int | None]]) -> None:
    parts = {meter(n + 1): [hour[n] for hour in hours] for n in range(3)}
    for found, (master, first, second) in zip(virtual_hours(virtual(), parts), hours, strict=True):
        if master is None or first is None or second is None:
            assert found is None
        else:
            assert found == master - first - second


def test_a_part_that_told_nothing_leaves_the_whole_unknown() -> None:
    assert virtual_hours(virtual(), {meter(1): [5] * 24, meter(2): [1] * 24}) == (None,) * 24
    assert virtual().parts == {meter(1), meter(2), meter(3)}


@pytest.mark.parametrize(
    "changes",
    [
        {"name": " "},
        {"name": "x" * 61},
        {"plus": frozenset()},
        {"minus": frozenset({meter(1)})},
        {"minus": frozenset(MeterId(UUID(int=n)) for n in range(200))},
    ],
)
def test_a_virtual_meter_that_cannot_be_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(RefusalError):
        virtual(**changes)
