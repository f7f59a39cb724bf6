"""Charges as written: bounds, boundaries, prices and uplifts up to the edge of what is allowed."""

from __future__ import annotations

from fractions import Fraction

import pytest

from common.errors import FaultsError
from common.rating.engine import rate
from common.rating.refusal import RatingRefusedError
from common.tariff.document import parse_tariff
from common.tariff.model import Charge, PriceTable, Tiers
from common.tariff.parse.charges import TIERS_MAX
from common.tariff.steps import Boundary
from tests.common.tariff.builders import body, tariff, usage


def only_charge(**fields: object) -> Charge:
    (charge,) = parse_tariff(body(**fields)).plans[0].charges
    return charge


def tiers_of(bounds: list[str], prices: list[str], **fields: object) -> Tiers:
    tiers = only_charge(tiers={"bounds": bounds, **fields}, charges=[{"key": "e", "prices": prices}]).tiers
    assert tiers is not None
    return tiers


def where_of(**fields: object) -> list[str]:
    with pytest.raises(FaultsError) as refusal:
        parse_tariff(body(**fields))
    return [fault.where for fault in refusal.value.faults]


def test_tiers_that_say_no_more_are_open_and_a_bound_belongs_to_the_lower_one() -> None:
    plain = tiers_of(["10"], ["1", "2"])
    assert (plain.closed, plain.boundary) == (False, Boundary.LOWER)
    assert plain.closed is False
    assert tiers_of(["10", "20"], ["1", "2"], closed=True).closed is True
    assert tiers_of(["10"], ["1", "2"], boundary="upper").boundary is Boundary.UPPER


def test_a_single_tier_that_is_closed_has_no_price_above_its_bound() -> None:
    closed = tariff(tiers={"bounds": ["10"], "closed": True}, charges=[{"key": "e", "prices": ["1"]}])
    assert rate(closed, usage(10_000)).amount_fen == 1_000
    with pytest.raises(RatingRefusedError, match=r"e: the tariff gives no price above 10$"):
        rate(closed, usage(10_001))


def test_one_price_beside_tiers_is_not_told_by_tier() -> None:
    charges = [{"key": "e", "prices": ["1", "2"]}, {"key": "s", "price": "0.1"}]
    keys = [item.key for item in rate(tariff(tiers={"bounds": ["10"]}, charges=charges), usage(20_000)).components]
    assert keys == ["e:tier1", "e:tier2", "s"]


def test_a_boundary_that_is_none_is_a_fault() -> None:
    tiers = {"bounds": ["10"], "boundary": "middle"}
    assert where_of(tiers=tiers, charges=[{"key": "e", "prices": ["1", "2"]}]) == ["tiers.boundary"]


def test_as_many_bounds_as_allowed_are_read_and_one_more_is_not() -> None:
    bounds, prices = [str(n) for n in range(1, TIERS_MAX + 2)], [str(n) for n in range(1, TIERS_MAX + 2)]
    assert len(tiers_of(bounds[:-1], prices).bounds) == TIERS_MAX
    with pytest.raises(FaultsError, match=f"{TIERS_MAX + 1} tiers are too many"):
        tiers_of(bounds, [*prices, "99"])


@pytest.mark.parametrize("bound", ["2.5", "0.125", "0.001", "7"])
def test_a_bound_may_be_as_fine_as_a_meter_counts(bound: str) -> None:
    assert tiers_of([bound], ["1", "2"]).bounds[0].constant == Fraction(bound)


def test_a_fault_in_a_list_names_the_place_in_the_list() -> None:
    two = [{"key": "e", "prices": ["1", "2"]}]
    assert where_of(tiers={"bounds": ["-1"]}, charges=two)[0] == "tiers.bounds[0]"
    assert where_of(tiers={"bounds": ["bottom"]}, charges=two) == ["tiers.bounds[0]"]
    assert where_of(tiers={"bounds": ["1"]}, charges=[{"key": "e", "prices": ["1", "-2"]}]) == ["charges[0].prices[1]"]
    assert where_of(tiers={"bounds": ["1"]}, charges=[{"key": "e", "prices": ["1", "two"]}]) == ["charges[0].prices[1]"]
    assert where_of(charges=[{"key": "e", "price": "1", "flats": ["-3"]}]) == ["charges[0].flats[0]"]
    assert where_of(charges=[{"key": "e", "price": "1", "flats": ["three"]}]) == ["charges[0].flats[0]"]


def test_an_empty_list_of_prices_is_one_fault() -> None:
    assert where_of(tiers={"bounds": ["1"]}, charges=[{"key": "e", "prices": []}]) == ["charges[0].prices"]
    assert where_of(charges=[{"key": "e", "prices": []}]) == ["charges[0].prices"]


@pytest.mark.parametrize("kind", ["once", "each"])
def test_an_uplift_that_is_no_number_is_a_fault_of_its_own(kind: str) -> None:
    tiers = {"bounds": ["1"], "uplift": {"persons_from": 5, kind: "many"}}
    with pytest.raises(FaultsError, match=rf"tiers\.uplift\.{kind}: number: 'many' is not a decimal number"):
        tariff(tiers=tiers, charges=[{"key": "e", "prices": ["1", "2"]}])


@pytest.mark.parametrize("field", ["price", "prices", "by", "by_window", "quantity", "flats"])
def test_an_amount_stands_beside_nothing_that_makes_a_price(field: str) -> None:
    with pytest.raises(FaultsError, match=rf"charges\[0\]\.{field}: a charge with an amount has no price"):
        tariff(charges=[{"key": "e", "amount": "2", field: "1"}])


def test_a_price_that_is_a_whole_number_needs_no_quotes() -> None:
    pricing = only_charge(charges=[{"key": "e", "price": 3}]).pricing
    assert isinstance(pricing, PriceTable)
    assert pricing.entries[PriceTable.ANY].by_tier[0].constant == 3
    assert rate(tariff(charges=[{"key": "e", "price": 3}]), usage(2_000)).amount_fen == 600
