"""Tariff registers against their total: rounding passes, what is further off takes the tariffs and not the total."""

from __future__ import annotations

from fractions import Fraction

import pytest

from common.reading.reading import Quantity
from edge.device.plan import read_plan
from edge.driver.decoding import decode_block
from edge.driver.outcome import Exchange, FailureKind
from edge.driver.tariff_sum import tariffs_off
from tests.edge.driver.builders import catalogue
from tests.simulation.devices.converter import digits

PROFILE = catalogue().profile("dlt645-2007-single-phase")
ALL = (Quantity.ENERGY_T1, Quantity.ENERGY_T2, Quantity.ENERGY_T3, Quantity.ENERGY_T4)
(BLOCK,) = read_plan(PROFILE, ALL)
NOTHING = Exchange(request=b"", response=b"")


def answer(total: int, *tariffs: int) -> bytes:
    return b"".join(digits(count, 4) for count in (total, *tariffs))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(answer(100, 10, 20, 30, 40), id="to the hundredth"),
        pytest.param(answer(2934, 1000, 1000, 932, 0), id="a real meter's 29.34 against 29.32"),
        pytest.param(answer(104, 10, 20, 30, 40), id="a hundredth a tariff"),
        pytest.param(answer(5, 99_999_990, 10, 5, 0), id="a dial that began again"),
    ],
)
def test_tariffs_that_add_up_within_rounding_are_values(data: bytes) -> None:
    values, failures = decode_block(PROFILE, BLOCK, data, {}, NOTHING)

    assert {value.quantity for value in values} == set(ALL)
    assert failures == []


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(answer(105, 10, 20, 30, 40), id="just beyond rounding"),
        pytest.param(answer(100_000, 10, 20, 30, 40), id="a register that was reset"),
        pytest.param(answer(100, 10, 20, 30, 4000), id="more than the total"),
    ],
)
def test_tariffs_off_the_total_are_refused_with_both_figures_and_a_remedy(data: bytes) -> None:
    values, failures = decode_block(PROFILE, BLOCK, data, {}, NOTHING)

    assert values == []
    assert failures[0].kind is FailureKind.BAD_VALUE
    assert set(failures[0].points) == set(ALL)
    assert "add up to" in failures[0].detail
    assert "compare both with the dial" in failures[0].detail


def test_the_total_of_another_answer_is_not_drawn_in() -> None:
    (block,) = read_plan(PROFILE, (Quantity.ENERGY_FORWARD,))

    values, failures = decode_block(PROFILE, block, digits(100, 4), {}, NOTHING)

    assert values[0].value_milli == 1_000
    assert failures == []


def test_a_tariff_that_is_no_number_is_told_once_and_for_itself() -> None:
    data = answer(100, 10, 20, 30, 40)[:-1] + b"\xff"

    values, failures = decode_block(PROFILE, BLOCK, data, {}, NOTHING)

    assert [failure.points for failure in failures] == [(Quantity.ENERGY_T4,)]
    assert len(values) == 3


def test_a_model_without_such_a_total_is_not_checked() -> None:
    other = catalogue().profile("eastron-sdm120")
    (block,) = read_plan(other, (Quantity.ENERGY_FORWARD,))

    assert tariffs_off(other, block, lambda *_: Fraction(0)) == ""
