"""Common costs: parts always sum to the pool, an unknown share stops it, parties share by days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from cloud.rating.lines import ExceptionKind
from cloud.rating.pools import PoolOutcome, PoolPart, pool_parts, rate_pool
from cloud.tariffs.charge import ChargeBasis
from cloud.tariffs.pool import PoolMethod, PoolRevision
from common.rating.explain import explain
from tests.cloud.rating.documents import public_energy, water
from tests.cloud.rating.town import BUILDING, MARCH, RECORDED, Town, flat, item, meter, party

SHARED = item("public-energy", ChargeBasis.SHARE)
POOL = UUID(int=0x9001)
NEW_YEAR, TENTH = date(2026, 1, 1), date(2026, 3, 10)
KWH = 1000


def pool(**facts: object) -> PoolRevision:
    base = {
        "pool_id": POOL,
        "effective_from": NEW_YEAR,
        "rev": 1,
        "charge_item_id": SHARED.charge_item_id,
        "meter_id": meter(90, None).meter_id,
        "method": PoolMethod.METER,
        "building_id": None,
        "recorded_at": RECORDED,
    }
    return PoolRevision(**(base | facts))  # type: ignore[arg-type]


def town(areas: Sequence[int | None], used_kwh: int = 1_234) -> Town:
    built = Town()
    for number, area in enumerate(areas, 1):
        built.live(number, area)
    built.charge(SHARED, built.price(public_energy()))
    built.pools.append(pool())
    built.read(meter(90, None), {MARCH.start: 0, MARCH.end: used_kwh * KWH})
    return built


def rated(built: Town) -> PoolOutcome:
    (part,) = pool_parts(built.scope(), SHARED)
    assert isinstance(part, PoolPart)
    return rate_pool(built.desk(), part)


def test_sixty_and_thirty_six_flats_are_billed_exactly_what_the_pool_cost() -> None:
    outcome = rated(town([88_530] * 60 + [121_370] * 36))
    assert outcome.split is not None
    assert outcome.split.total_fen == 689_56  # 1,234 x 0.5588
    assert sum(draft.line.amount_fen for draft in outcome.drafts) == 689_56
    assert len(outcome.drafts) == 96


@given(st.lists(st.integers(1, 500_000), min_size=1, max_size=25), st.integers(0, 100_000))
def test_the_parts_of_any_pool_sum_to_it(areas: list[int], used_kwh: int) -> None:
    outcome = rated(town(areas, used_kwh))
    assert outcome.split is not None
    assert sum(draft.line.amount_fen for draft in outcome.drafts) == outcome.split.total_fen


def test_one_flat_without_an_area_stops_the_pool_and_is_named() -> None:
    outcome = rated(town([88_530, None, 60_000]))
    assert outcome.drafts == ()
    (named,) = outcome.exceptions
    assert (named.kind, named.premises_id, named.object_id) == (ExceptionKind.NO_SHARE, flat(2), POOL)


def test_seller_and_buyer_share_their_flat_by_days_to_the_fen() -> None:
    built = Town()
    built.live(1, 50_000, p1=(MARCH.start, TENTH), p2=(TENTH, MARCH.end))
    built.live(3, 50_000)
    built.charge(SHARED, built.price(public_energy()))
    built.pools.append(pool())
    built.read(meter(90, None), {MARCH.start: 0, MARCH.end: 100 * KWH})
    outcome = rated(built)
    by_party = {draft.segment.party_id: draft.line.amount_fen for draft in outcome.drafts}
    assert by_party == {party(1): 8_11, party(2): 19_83, party(3): 27_94}


def test_days_that_nobody_owes_keep_their_part_as_an_exception_and_nobody_else_pays_it() -> None:
    built = Town()
    built.live(1, 50_000, p1=(TENTH, MARCH.end))
    built.live(2, 50_000)
    built.charge(SHARED, built.price(public_energy()))
    built.pools.append(pool())
    built.read(meter(90, None), {MARCH.start: 0, MARCH.end: 100 * KWH})
    outcome = rated(built)
    assert [one.kind for one in outcome.exceptions] == [ExceptionKind.NO_PAYER]
    assert sum(draft.line.amount_fen for draft in outcome.drafts) == 55_88 - 8_11


def test_a_pool_of_one_building_leaves_the_others_out() -> None:
    built = town([50_000, 50_000])
    built.premises[1] = replace(built.premises[1], building_id=None)
    built.pools[0] = pool(building_id=BUILDING)
    (draft,) = rated(built).drafts
    assert draft.segment.premises_id == flat(1)


def test_a_master_less_its_subs_is_what_the_common_area_used() -> None:
    built = town([50_000], used_kwh=100)
    built.pools[0] = pool(method=PoolMethod.MASTER_LESS_SUBS)
    sub = replace(meter(1, flat(1)), parent_meter_id=meter(90, None).meter_id)
    built.read(sub, {MARCH.start: 0, MARCH.end: 60 * KWH})
    (draft,) = rated(built).drafts
    assert draft.line.amount_fen == 22_35  # 40 x 0.5588 = 22.352


def test_subs_that_count_more_than_their_master_are_an_exception() -> None:
    built = town([50_000], used_kwh=50)
    built.pools[0] = pool(method=PoolMethod.MASTER_LESS_SUBS)
    sub = replace(meter(1, flat(1)), parent_meter_id=meter(90, None).meter_id)
    built.read(sub, {MARCH.start: 0, MARCH.end: 60 * KWH})
    outcome = rated(built)
    assert outcome.drafts == ()
    assert [one.kind for one in outcome.exceptions] == [ExceptionKind.BACKWARDS]


def test_a_public_meter_without_a_reading_is_an_exception_of_the_pool() -> None:
    built = town([50_000])
    built.registers.clear()
    outcome = rated(built)
    assert [(one.kind, one.premises_id) for one in outcome.exceptions] == [(ExceptionKind.NO_READING, None)]


def test_a_pool_without_its_meter_is_an_exception() -> None:
    built = town([50_000])
    built.meters.clear()
    (missing,) = pool_parts(built.scope(), SHARED)
    assert not isinstance(missing, PoolPart)
    assert missing.kind is ExceptionKind.NO_METER


def test_a_tariff_that_says_nothing_of_sharing_refuses_the_pool() -> None:
    built = town([50_000])
    other = built.price({**water(), "code": "not-shared"})
    built.assignments.clear()
    built.charge(SHARED, other)
    outcome = rated(built)
    assert outcome.drafts == ()
    assert [one.kind for one in outcome.exceptions] == [ExceptionKind.NO_PRICE]


def test_a_price_change_cuts_the_pool_by_the_register_of_the_day() -> None:
    built = town([50_000], used_kwh=100)
    dearer = dict(public_energy())
    dearer["charges"] = [{"key": "energy", "price": "1.0000"}]
    built.price(dearer, TENTH)
    built.read(meter(90, None), {TENTH: 40 * KWH})
    parts = [part for part in pool_parts(built.scope(), SHARED) if isinstance(part, PoolPart)]
    desk = built.desk()
    amounts = [draft.line.amount_fen for part in parts for draft in rate_pool(desk, part).drafts]
    assert amounts == [22_35, 60_00]


def test_a_price_change_without_a_reading_that_night_spreads_the_pool_by_days_and_says_so() -> None:
    built = town([50_000], used_kwh=310)
    dearer = dict(public_energy())
    dearer["charges"] = [{"key": "energy", "price": "1.0000"}]
    built.price(dearer, TENTH)
    parts = [part for part in pool_parts(built.scope(), SHARED) if isinstance(part, PoolPart)]
    desk = built.desk()
    old, new = (draft for part in parts for draft in rate_pool(desk, part).drafts)
    assert (old.line.amount_fen, new.line.amount_fen) == (50_29, 220_00)  # 90 x 0.5588 and 220 x 1
    assert "因价格调整分段, 分段日没有读数, 用量按天数分摊" in explain(old.line, "zh")[0]


def test_sub_meters_of_a_pool_are_spread_by_days_too() -> None:
    built = town([50_000], used_kwh=310)
    built.price({**public_energy(), "charges": [{"key": "energy", "price": "1.0000"}]}, TENTH)
    built.pools[:] = [pool(method=PoolMethod.MASTER_LESS_SUBS)]
    sub = replace(meter(91, None), parent_meter_id=meter(90, None).meter_id)
    built.read(sub, {MARCH.start: 0, MARCH.end: 31 * KWH})
    parts = [part for part in pool_parts(built.scope(), SHARED) if isinstance(part, PoolPart)]
    desk = built.desk()
    assert [rate_pool(desk, part).drafts[0].line.amount_fen for part in parts] == [45_26, 198_00]


def test_an_ended_pool_is_not_shared_any_more() -> None:
    built = town([50_000])
    built.pools.append(pool(meter_id=None, effective_from=MARCH.start))
    assert list(pool_parts(built.scope(), SHARED)) == []
