"""Which prices are plain for a class of premises: one revision for the whole period, nothing but tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from cloud.estate.in_columns import Households
from cloud.estate.kinds import PremisesKind
from cloud.kit.images import ids_of
from cloud.rating.column_plan import ColumnPlan, NotPlain, Priced, places_of
from cloud.tariffs.assignment import Effect, Target, TargetKind
from cloud.tariffs.charge import ChargeBasis
from common.reading.reading import Resource
from tests.cloud.rating import documents, town
from tests.cloud.rating.town import BUILDING, MARCH, Town, item

HOME = (PremisesKind.RESIDENCE, BUILDING)
ENERGY = item("electric", ChargeBasis.METERED, Resource.ELECTRICITY)
AREA = item("area", ChargeBasis.AREA)


def plan_of(built: Town) -> ColumnPlan:
    scope = built.scope()
    return ColumnPlan(
        community_id=scope.community_id,
        zone=scope.zone,
        zone_name=scope.zone_name,
        period=scope.period,
        known_at=scope.known_at,
        prices=scope.prices,
        calendar=None,
    )


def test_one_price_for_the_whole_period_is_plain_and_knows_its_tier_year() -> None:
    built = Town()
    built.charge(ENERGY, built.price(documents.electricity()))
    plan = plan_of(built)
    priced = plan.priced(ENERGY, HOME)
    assert isinstance(priced, Priced)
    assert plan.column_tariff(priced) is not None
    assert plan.tier_year_start(priced) == date(2026, 1, 1)
    assert plan.reach.start == date(2026, 1, 1)


def test_a_charge_that_does_not_apply_or_is_exempt_has_no_price() -> None:
    built = Town()
    kind = Target(kind=TargetKind.PREMISES_KIND, key=PremisesKind.SHOP)
    tariff = built.price(documents.area_fee())
    built.charge(AREA, tariff)
    built.charge(AREA, None, target=kind, effect=Effect.EXEMPT)
    plan = plan_of(built)
    assert plan.priced(AREA, (PremisesKind.SHOP, None)) is None
    assert isinstance(plan.priced(AREA, HOME), Priced)
    assert plan.priced(replace(ENERGY), HOME) is None


@pytest.mark.parametrize("day", [date(2026, 3, 10), date(2026, 3, 31)])
def test_a_price_that_changes_inside_the_period_is_left_to_the_road_by_value(day: date) -> None:
    built = Town()
    tariff = built.price(documents.area_fee())
    built.price(documents.area_fee("3.00"), day)
    built.charge(AREA, tariff)
    assert plan_of(built).priced(AREA, HOME) is NotPlain.BY_VALUE


def test_a_price_from_the_middle_on_and_one_that_nobody_recorded_are_left_too() -> None:
    late, unpriced = Town(), Town()
    late.charge(AREA, late.price(documents.area_fee()), day=date(2026, 3, 10))
    unpriced.charge(AREA, town.tariff_of("area-fee"))
    assert plan_of(late).priced(AREA, HOME) is NotPlain.BY_VALUE
    assert plan_of(unpriced).priced(AREA, HOME) is NotPlain.BY_VALUE


def test_households_are_told_apart_by_kind_and_building() -> None:
    buildings = np.concatenate([ids_of([BUILDING, BUILDING]), np.zeros(1, dtype="S16")])
    kinds = (PremisesKind.RESIDENCE, PremisesKind.SHOP, PremisesKind.RESIDENCE)
    homes = Households(premises=buildings, buildings=buildings, kinds=kinds, facts={}, payers=buildings)
    found = {place: rows.tolist() for place, rows in places_of(homes).items()}
    assert found == {HOME: [0], (PremisesKind.SHOP, BUILDING): [1], (PremisesKind.RESIDENCE, None): [2]}
    assert MARCH.days == 31
