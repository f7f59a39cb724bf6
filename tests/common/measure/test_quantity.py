"""Quantities are whole milli-units of one unit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvariantError, RefusalError
from common.measure.quantity import MILLI, Quantity, Unit, format_milli, parse_quantity
from common.money.amount import INT64_MAX

WATER = Unit.CUBIC_METRE


def test_quantities_of_one_unit_add_and_subtract() -> None:
    assert Quantity(1_500, WATER) + Quantity(500, WATER) == Quantity(2_000, WATER)
    assert Quantity(1_500, WATER) - Quantity(2_000, WATER) == Quantity(-500, WATER)
    assert str(Quantity(1_500, WATER)) == "1.5 m3"


def test_units_are_never_mixed() -> None:
    with pytest.raises(InvariantError, match="cannot add m3 and kWh"):
        Quantity(1, WATER) + Quantity(1, Unit.KILOWATT_HOUR)
    with pytest.raises(InvariantError, match="cannot add kWh and m3"):
        Quantity(1, Unit.KILOWATT_HOUR) - Quantity(1, WATER)


def test_a_quantity_beyond_64_bits_is_an_error() -> None:
    with pytest.raises(InvariantError, match="quantity does not fit 64 bits"):
        Quantity(INT64_MAX, WATER) + Quantity(1, WATER)


def test_a_quantity_finer_than_a_milli_unit_is_refused() -> None:
    assert parse_quantity("34.2", WATER) == Quantity(34_200, WATER)
    with pytest.raises(RefusalError, match=r"quantity in m3: '0.0001' has more than 3 decimals"):
        parse_quantity("0.0001", WATER)


@given(st.integers(-INT64_MAX // MILLI, INT64_MAX // MILLI), st.sampled_from(list(Unit)))
def test_what_is_printed_is_read_back(milli: int, unit: Unit) -> None:
    assert parse_quantity(format_milli(milli), unit) == Quantity(milli, unit)


@pytest.mark.parametrize(
    ("milli", "text"), [(0, "0"), (150_000, "150"), (1_500, "1.5"), (-5, "-0.005"), (100, "0.1"), (-1_000, "-1")]
)
def test_the_shortest_decimal_text_is_printed(milli: int, text: str) -> None:
    assert format_milli(milli) == text
