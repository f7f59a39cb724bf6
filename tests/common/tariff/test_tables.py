"""From tiers and prices to step tables: flat amounts, boundaries and single prices arrive where they were written."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from common.rating.engine import rate
from common.rating.request import RatingRequest
from common.tariff.formula import parse_formula
from common.tariff.model import Prices
from common.tariff.steps import StepTable, TierMode
from common.tariff.tables import as_exact, make_table
from tests.common.tariff.builders import JUNE, tariff, usage

CHOICE = {"traits": {"class": {"choices": ["home", "shop"]}}}


@pytest.mark.parametrize(
    ("fields", "milli", "fen"),
    [
        ({"charges": [{"key": "c", "price": "1", "flats": ["3"]}]}, 10_000, 1_300),
        ({"charges": [{"key": "c", "price": "1", "flats": ["coefficient"]}]}, 10_000, 1_200),
        (
            {"tiers": {"bounds": ["10"]}, "charges": [{"key": "c", "prices": ["1", "2"], "flats": ["5", "7"]}]},
            20_000,
            1_000 + 500 + 2_000 + 700,
        ),
        (
            {
                "tiers": {"bounds": ["10"], "mode": "volume", "boundary": "upper"},
                "charges": [{"key": "c", "prices": ["1", "2"], "flats": ["coefficient", "7"]}],
            },
            10_000,
            2_000 + 700,
        ),
        (
            {
                "tiers": {"bounds": ["households * 10"], "mode": "volume", "boundary": "lower"},
                "charges": [{"key": "c", "prices": ["1", "2"], "flats": ["5", "7"]}],
            },
            10_000,
            1_000 + 500,
        ),
    ],
)
def test_a_table_has_the_flats_and_the_boundary_of_its_tariff(fields: dict[str, Any], milli: int, fen: int) -> None:
    facts = {"coefficient_milli": 2_000, "households": 1}
    request = RatingRequest(period=JUNE, quantity_milli=milli, facts=facts)
    assert rate(tariff(**fields), request).amount_fen == fen


def test_a_class_at_one_price_stands_beside_one_in_tiers() -> None:
    by = {"trait": "class", "prices": {"home": ["1", "2"], "shop": "3"}}
    compiled = tariff(**CHOICE, tiers={"bounds": ["10"]}, charges=[{"key": "c", "by": by}])
    amounts = [
        rate(compiled, RatingRequest(period=JUNE, quantity_milli=20_000, traits={"class": name})).amount_fen
        for name in ("home", "shop")
    ]
    assert amounts == [1_000 + 2_000, 6_000]


def test_a_whole_fraction_is_an_int_and_others_stay() -> None:
    assert type(as_exact(Fraction(4, 2))) is int
    assert as_exact(Fraction(4, 2)) == 2
    assert type(as_exact(Fraction(1, 2))) is Fraction
    assert as_exact(Fraction(1, 2)) == Fraction(1, 2)


def test_an_adjustment_of_a_single_fen_is_told_and_no_discount_takes_more_than_all() -> None:
    cent = tariff(charges=[{"key": "c", "price": "1"}], adjust=[{"surcharge": "0.001"}])
    assert [item.fen for item in rate(cent, usage(10_000)).components] == [1_000, 1]
    whole = tariff(charges=[{"key": "c", "price": "1"}], adjust=[{"discount": "coefficient"}])
    request = RatingRequest(period=JUNE, quantity_milli=10_000, facts={"coefficient_milli": 1_500})
    assert rate(whole, request).amount_fen == 0


def test_a_price_without_tiers_is_a_graduated_table_of_one_step() -> None:
    nothing: dict[str, Fraction] = {}
    table = make_table(None, Prices(by_tier=(parse_formula("0.5"),)), nothing.__getitem__)
    assert table == StepTable(bounds=(0,), slopes=(500_000,), offsets=(0,), mode=TierMode.GRADUATED)


def test_a_first_tier_may_be_of_a_single_milli_unit() -> None:
    smallest = tariff(tiers={"bounds": ["0.001"]}, charges=[{"key": "c", "prices": ["1000", "1"]}])
    assert rate(smallest, usage(1_001)).amount_fen == 100 + 100
