"""What a tariff says of itself and of what it needs, up to the edge of what is allowed."""

from __future__ import annotations

from datetime import date

import pytest

from common.errors import FaultsError
from common.money.amount import CURRENCIES
from common.rating.engine import rate
from common.rating.request import RatingRequest
from common.tariff.document import TariffDocument, parse_tariff
from common.tariff.model import Fact, FactScale, Source, Trait
from tests.common.tariff.builders import JUNE, body, tariff

CHARGES = [{"key": "e", "price": "1"}]


def read(**fields: object) -> TariffDocument:
    return parse_tariff(body(charges=CHARGES, **fields))


def faults_of(**fields: object) -> list[str]:
    with pytest.raises(FaultsError) as refusal:
        read(**fields)
    return [str(fault) for fault in refusal.value.faults]


@pytest.mark.parametrize("code", sorted(CURRENCIES))
def test_a_tariff_is_in_the_currency_it_names(code: str) -> None:
    assert read(currency=code).header.currency is CURRENCIES[code]


def test_an_unknown_currency_is_one_fault_and_grids_are_still_read() -> None:
    (fault,) = faults_of(currency="RMB", rounding=[{"stage": "line", "to": "0.01"}])
    assert fault.startswith("currency: 'RMB' is unknown")


def test_facts_and_traits_are_read_as_they_are_declared() -> None:
    document = read(
        facts={"rooms": {"scale": "count"}, "area": {}},
        traits={"class": {"choices": ["home", "shop"], "default": "shop"}},
    )
    assert document.facts["rooms"] == Fact(name="rooms", scale=FactScale.COUNT, default=None)
    assert document.facts["area"] == Fact(name="area", scale=FactScale.MILLI, default=None)
    assert document.traits["class"] == Trait(name="class", choices=("home", "shop"), default="shop")


def test_faults_of_facts_traits_and_values_name_their_place() -> None:
    (fact,) = faults_of(facts={"rooms": {"scale": "count", "default": "many"}})
    assert fact.startswith("facts.rooms.default: number: 'many' is not a decimal number")
    (trait,) = faults_of(traits={"Class": {"choices": ["a"]}})
    assert trait.startswith("traits.Class: the name cannot stand in a formula")
    (choice,) = faults_of(traits={"class": {"choices": ["a", "b"], "default": "c"}})
    assert choice == "traits.class.default: 'c' is no choice; use one of a, b"
    (value,) = faults_of(values={"X": "1"})
    assert value.startswith("values.X: the name cannot stand in a formula")


@pytest.mark.parametrize("start", ["01-01", "01-31", "02-28", "12-31"])
def test_an_accumulation_may_start_on_the_first_and_the_last_day_of_a_month(start: str) -> None:
    month, day = start.split("-")
    assert read(accumulate={"starts": [start]}).accumulation.starts == ((int(month), int(day)),)


@pytest.mark.parametrize("start", ["00-01", "01-00", "13-01", "01-32", "spring"])
def test_a_start_that_is_no_day_of_every_year_is_a_fault(start: str) -> None:
    (fault,) = faults_of(accumulate={"starts": [start]})
    assert fault.startswith(f"accumulate.starts[0]: {start!r} is no day of every year")


def test_whole_units_are_of_one_unit_where_no_size_is_written() -> None:
    compiled = tariff(charges=[{"key": "e", "price": "2"}], whole_units={})
    line = rate(compiled, RatingRequest(period=JUNE, quantity_milli=10_700, carried_milli=500))
    assert (line.amount_fen, line.carried_milli) == (2_200, 200)


def test_a_source_says_its_day_or_why_none_is_known() -> None:
    assert read().header.source is None
    dated = read(source={"title": "a notice", "date": "2024-05-06"}).header.source
    assert dated == Source(title="a notice", day=date(2024, 5, 6), undated="")
    undated = read(source={"title": "an exercise", "undated": "the book gives no day"}).header.source
    assert undated == Source(title="an exercise", day=None, undated="the book gives no day")
    assert faults_of(source={"title": "a notice", "date": "2024-05-06", "undated": "lost"}) == [
        "source.undated: the source has a date too; leave one of the two out"
    ]
