"""The step table: one evaluator for graduated, volume and band prices, exact, and never beyond 64 bits."""

from __future__ import annotations

from fractions import Fraction

import pytest

from common.errors import InvariantError
from common.money.amount import INT64_MAX
from common.tariff.steps import (
    AmountTooLargeError,
    BeyondTableError,
    Boundary,
    StepTable,
    TierMode,
    build_table,
)

YUAN = 10**9


def table(mode: TierMode, boundary: Boundary = Boundary.LOWER, *, closed: bool = False) -> StepTable:
    """Return bounds of 10 and 20 units at 3, 2 and 1 yuan."""
    bounds = [10_000, 20_000, 30_000] if closed else [10_000, 20_000]
    return build_table(mode=mode, upper_bounds=bounds, prices=[3_000_000, 2_000_000, 1_000_000], boundary=boundary)


@pytest.mark.parametrize(
    ("mode", "boundary", "quantity", "cost"),
    [
        (TierMode.GRADUATED, Boundary.LOWER, 0, 0),
        (TierMode.GRADUATED, Boundary.LOWER, 10, 30),
        (TierMode.GRADUATED, Boundary.UPPER, 10, 30),
        (TierMode.GRADUATED, Boundary.LOWER, 15, 40),
        (TierMode.GRADUATED, Boundary.LOWER, 25, 55),
        (TierMode.VOLUME, Boundary.LOWER, 0, 0),
        (TierMode.VOLUME, Boundary.LOWER, 10, 30),
        (TierMode.VOLUME, Boundary.UPPER, 10, 20),
        (TierMode.VOLUME, Boundary.LOWER, 15, 30),
        (TierMode.VOLUME, Boundary.LOWER, 25, 25),
        (TierMode.BAND, Boundary.LOWER, 0, 3),
        (TierMode.BAND, Boundary.LOWER, 10, 3),
        (TierMode.BAND, Boundary.UPPER, 10, 2),
        (TierMode.BAND, Boundary.LOWER, 25, 1),
    ],
)
def test_a_quantity_costs_what_its_mode_says(mode: TierMode, boundary: Boundary, quantity: int, cost: int) -> None:
    found = table(mode, boundary)
    assert found.cost(quantity * 1_000) == cost * YUAN
    assert found.between(0, quantity * 1_000) == cost * YUAN
    assert sum(part.cost for part in found.slices(0, quantity * 1_000)) == cost * YUAN


def test_flat_amounts_are_due_for_each_tier_reached() -> None:
    flats = build_table(
        mode=TierMode.GRADUATED,
        upper_bounds=[10_000],
        prices=[1_000_000, 2_000_000],
        flats=[5_000_000, 7_000_000],
    )
    assert flats.cost(0) == 5 * YUAN
    assert flats.cost(10_000) == 15 * YUAN
    assert flats.cost(11_000) == 24 * YUAN
    assert [(part.step, part.cost) for part in flats.slices(0, 11_000)] == [(0, 15 * YUAN), (1, 9 * YUAN)]
    assert flats.between(10_000, 1_000) == 9 * YUAN
    volume = build_table(
        mode=TierMode.VOLUME, upper_bounds=[10_000], prices=[1_000_000, 2_000_000], flats=[0, 7_000_000]
    )
    assert volume.cost(11_000) == 29 * YUAN


def test_a_closed_table_refuses_what_lies_beyond_it() -> None:
    closed = table(TierMode.GRADUATED, closed=True)
    assert closed.cost(30_000) == 60 * YUAN
    with pytest.raises(BeyondTableError, match="the tariff gives no price above 30"):
        closed.cost(30_001)


def test_an_amount_beyond_64_bits_is_refused_and_never_wraps() -> None:
    dear = build_table(mode=TierMode.GRADUATED, upper_bounds=(), prices=[1_000_000])
    limit = INT64_MAX // 1_000_000
    assert dear.cost(limit) == limit * 1_000_000
    with pytest.raises(AmountTooLargeError, match="does not fit 64 bits"):
        dear.cost(limit + 1)
    whole = build_table(mode=TierMode.GRADUATED, upper_bounds=(), prices=[1])
    assert whole.cost(INT64_MAX) == INT64_MAX


def test_slices_begin_where_the_prior_usage_ended() -> None:
    parts = list(table(TierMode.GRADUATED).slices(8_000, 14_000))
    assert [(part.step, part.quantity, part.cost) for part in parts] == [
        (0, 2_000, 6 * YUAN),
        (1, 10_000, 20 * YUAN),
        (2, 2_000, 2 * YUAN),
    ]
    exactly = list(table(TierMode.GRADUATED).slices(10_000, 10_000))
    assert [(part.step, part.quantity) for part in exactly] == [(1, 10_000)]
    assert [part.quantity for part in table(TierMode.GRADUATED).slices(10_000, 0)] == [0]
    upper = list(table(TierMode.GRADUATED, Boundary.UPPER).slices(0, 10_000))
    assert [(part.step, part.quantity) for part in upper] == [(0, 10_000)]


def test_bounds_may_be_exact_fractions() -> None:
    third = build_table(mode=TierMode.GRADUATED, upper_bounds=[Fraction(10_000, 3)], prices=[1_000_000, 2_000_000])
    assert third.cost(5_000) == Fraction(10_000, 3) * 1_000_000 + Fraction(5_000, 3) * 2_000_000


@pytest.mark.parametrize(
    ("bounds", "slopes", "offsets", "message"),
    [
        ((0, 5), (1,), (0, 0), "the columns of a step table match"),
        ((), (), (), "the columns of a step table match"),
        ((1,), (1,), (0,), "a step table starts at zero"),
        ((0, 5, 5), (1, 1, 1), (0, 0, 0), "step bounds rise"),
    ],
)
def test_a_table_of_wrong_shape_is_an_invariant_error(
    bounds: tuple[int, ...], slopes: tuple[int, ...], offsets: tuple[int, ...], message: str
) -> None:
    with pytest.raises(InvariantError, match=f"^{message}$"):
        StepTable(bounds=bounds, slopes=slopes, offsets=offsets)


def test_negative_quantities_and_missing_prices_are_invariant_errors() -> None:
    with pytest.raises(InvariantError, match=r"^quantities of a step table are not negative$"):
        list(table(TierMode.GRADUATED).slices(0, -1))
    with pytest.raises(InvariantError, match=r"^quantities of a step table are not negative$"):
        list(table(TierMode.GRADUATED).slices(-1, 1))
    with pytest.raises(InvariantError, match=r"^a tier table has a price for each tier$"):
        build_table(mode=TierMode.GRADUATED, upper_bounds=[1, 2], prices=[1])


def test_a_prior_usage_on_a_bound_belongs_to_the_tier_that_the_boundary_says() -> None:
    prices = {"upper_bounds": (100,), "prices": (1, 3)}
    lower = build_table(mode=TierMode.VOLUME, boundary=Boundary.LOWER, **prices)
    upper = build_table(mode=TierMode.VOLUME, boundary=Boundary.UPPER, **prices)
    assert lower.between(100, 10) == 110 * 3 - 100 * 1
    assert upper.between(100, 10) == 110 * 3 - 100 * 3


@pytest.mark.parametrize(("boundary", "step", "slope"), [(Boundary.LOWER, 0, 1), (Boundary.UPPER, 1, 3)])
def test_a_quantity_on_a_bound_is_one_slice_of_the_tier_it_belongs_to(
    boundary: Boundary, step: int, slope: int
) -> None:
    volume = build_table(mode=TierMode.VOLUME, boundary=boundary, upper_bounds=(100,), prices=(1, 3))
    (part,) = volume.slices(0, 100)
    assert (part.step, part.slope, part.cost) == (step, slope, 100 * slope)
