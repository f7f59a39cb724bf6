"""Blocks: packing keeps every point, merging does not care about order or repetition."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.metering.blocks import Block, Point, merge, pack, unpack
from common.errors import InvariantError
from common.reading.reading import Quality

DAY_MS = 86_400_000
FIRST_MS = 1_767_196_800_000

points = st.builds(
    Point,
    at_ms=st.integers(FIRST_MS, FIRST_MS + DAY_MS),
    value_milli=st.integers(-(2**62), 2**62),
    quality=st.integers(0, 63).map(Quality),
)
series = st.lists(points, max_size=30)


def day_of(count: int) -> list[Point]:
    step_ms = DAY_MS // count
    return [Point(at_ms=FIRST_MS + n * step_ms, value_milli=5_000_000 + n * 137) for n in range(count)]


@given(series.filter(bool))
def test_unpacking_gives_back_every_point(some: list[Point]) -> None:
    merged = merge(some)
    block = pack(merged)
    assert unpack(block) == merged
    assert (block.first, block.last, block.count) == (merged[0], merged[-1], len(merged))


@given(series, series, series)
def test_the_order_and_repetition_of_arrival_do_not_change_a_block(
    first: list[Point], second: list[Point], third: list[Point]
) -> None:
    whole = merge(first, second, third)
    assert merge(third, first, second) == whole
    assert merge(merge(second, third), first) == whole
    assert merge(whole, second, second) == whole


def test_two_values_for_one_instant_are_kept_as_one_suspect_reading() -> None:
    low, high = Point(at_ms=FIRST_MS, value_milli=10), Point(at_ms=FIRST_MS, value_milli=12)
    assert merge([high], [low]) == (replace(low, quality=Quality.SUSPECT),)


def test_a_day_of_quarter_hours_takes_less_than_four_bytes_a_reading() -> None:
    assert len(pack(day_of(96)).body) <= 4 * 96


def test_one_reading_makes_a_block() -> None:
    (only,) = unpack(pack(day_of(1)))
    assert only == Point(at_ms=FIRST_MS, value_milli=5_000_000)


@pytest.mark.parametrize(
    "broken",
    [
        [],
        [Point(at_ms=2, value_milli=1), Point(at_ms=1, value_milli=1)],
        [Point(at_ms=1, value_milli=1), Point(at_ms=1, value_milli=1)],
    ],
    ids=["nothing", "backwards in time", "one instant twice"],
)
def test_points_that_are_no_series_are_not_packed(broken: list[Point]) -> None:
    with pytest.raises(InvariantError):
        pack(broken)


@pytest.mark.parametrize(
    "tamper",
    [
        lambda block: replace(block, count=block.count + 1),
        lambda block: replace(block, count=block.count - 1),
        lambda block: replace(block, count=0),
        lambda block: replace(block, last=replace(block.last, value_milli=block.last.value_milli + 1)),
        lambda block: replace(block, body=pack(day_of(5000)).body),
    ],
    ids=["count too high", "count too low", "no count", "other last register", "a body of another block"],
)
def test_a_block_that_disagrees_with_its_columns_is_refused(tamper: object) -> None:
    assert callable(tamper)
    broken = tamper(pack(day_of(96)))
    assert isinstance(broken, Block)
    with pytest.raises(InvariantError):
        unpack(broken)
