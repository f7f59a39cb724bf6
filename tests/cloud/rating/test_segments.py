"""Segments: cut where party, assignment, revision or tier year changes, and they tile the days that are charged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cloud.rating.lines import ExceptionKind, RatingException
from cloud.rating.segments import meters_in
from cloud.tariffs.assignment import Effect, Target, TargetKind
from cloud.tariffs.charge import ChargeBasis
from common.civil import Period, days_of
from tests.cloud.rating.documents import area_fee, electricity
from tests.cloud.rating.town import MARCH, Town, flat, item, meter, only_exceptions, only_segments, party

FEE = item("area-fee", ChargeBasis.AREA)
TENTH = date(2026, 3, 10)


def town() -> Town:
    built = Town()
    built.live(1)
    built.charge(FEE, built.price(area_fee()))
    return built


def test_a_quiet_month_is_one_segment_of_one_party() -> None:
    (segment,) = only_segments(town().segments(FEE))
    assert (segment.service, segment.party_id, segment.parts) == (MARCH, party(1), 1)


def test_a_price_change_on_the_tenth_cuts_the_month_there() -> None:
    built = town()
    built.price(area_fee("2.20"), TENTH)
    first, second = only_segments(built.segments(FEE))
    assert (first.service.end, second.service.start) == (TENTH, TENTH)
    assert first.revision.effective_from < second.revision.effective_from == TENTH
    assert [(one.part, one.parts) for one in (first, second)] == [(1, 2), (2, 2)]


def test_a_price_recorded_later_than_known_changes_nothing() -> None:
    built = town()
    built.price(area_fee("2.20"), TENTH, at=datetime(2026, 5, 1, tzinfo=UTC))
    built.known_at = datetime(2026, 4, 1, tzinfo=UTC)
    assert len(only_segments(built.segments(FEE))) == 1


def test_a_sale_in_mid_month_gives_each_party_its_days() -> None:
    built = Town()
    built.live(1, p1=(MARCH.start, TENTH), p2=(TENTH, MARCH.end))
    built.charge(FEE, built.price(area_fee()))
    sold, bought = only_segments(built.segments(FEE))
    assert (sold.party_id, sold.service) == (party(1), Period(MARCH.start, TENTH))
    assert (bought.party_id, bought.service) == (party(2), Period(TENTH, MARCH.end))


def test_days_that_nobody_owes_are_an_exception_beside_the_days_that_somebody_does() -> None:
    built = Town()
    built.live(1, p1=(TENTH, MARCH.end))
    built.charge(FEE, built.price(area_fee()))
    missing, segment = built.segments(FEE)
    assert isinstance(missing, RatingException)
    assert missing.kind is ExceptionKind.NO_PAYER
    assert not isinstance(segment, RatingException)
    assert segment.service == Period(TENTH, MARCH.end)


def test_days_without_a_price_are_an_exception_and_never_a_free_month() -> None:
    built = Town()
    built.live(1)
    built.charge(FEE, built.price(area_fee(), TENTH))
    (missing,) = only_exceptions(built.segments(FEE))
    assert missing.kind is ExceptionKind.NO_PRICE


def test_the_narrowest_assignment_wins_and_an_exemption_is_silent() -> None:
    built = town()
    own = Target(kind=TargetKind.PREMISES, key=str(flat(1)))
    built.charge(FEE, None, target=own, day=TENTH, effect=Effect.EXEMPT)
    built.charge(FEE, None, target=own, day=date(2026, 3, 20), effect=Effect.INHERIT)
    first, last = only_segments(built.segments(FEE))
    assert (first.service.end, last.service.start) == (TENTH, date(2026, 3, 20))


def test_a_charge_item_for_shops_leaves_flats_alone() -> None:
    built = Town()
    built.live(1)
    built.charge(FEE, built.price(area_fee()), target=Target(kind=TargetKind.PREMISES_KIND, key="shop"))
    assert built.segments(FEE) == []


def test_the_tier_year_cuts_a_period_that_crosses_it() -> None:
    built = Town(period=Period(date(2026, 12, 16), date(2027, 1, 16)))
    built.live(1)
    built.charge(FEE, built.price(electricity()))
    before, after = only_segments(built.segments(FEE))
    assert before.service.end == after.service.start == date(2027, 1, 1)


cuts = st.sets(st.integers(1, 30), max_size=4)


@given(cuts, cuts)
def test_segments_tile_the_period_whatever_changes_in_it(price_days: set[int], sale_days: set[int]) -> None:
    built = Town()
    marks = [MARCH.start, *(MARCH.start.replace(day=day + 1) for day in sorted(sale_days)), MARCH.end]
    spans = {f"p{n}": (start, end) for n, (start, end) in enumerate(pairwise(marks), 1)}
    built.live(1, 100_000, **spans)
    tariff = built.price(area_fee())
    for n, day in enumerate(sorted(price_days)):
        built.price(area_fee(f"{n + 3}.00"), MARCH.start.replace(day=day + 1))
    built.charge(FEE, tariff)
    covered = [day for one in only_segments(built.segments(FEE)) for day in days_of(one.service)]
    assert sorted(covered) == list(days_of(MARCH))


def test_a_hole_between_two_meters_is_no_usage_of_zero() -> None:
    old = replace(meter(1, flat(1)), end=TENTH)
    new = replace(meter(2, flat(1)), start=date(2026, 3, 12))
    assert meters_in([old, new], MARCH) is None
    follows = meters_in([old, replace(new, start=TENTH)], MARCH)
    assert follows is not None
    assert [days for _, days in follows] == [Period(MARCH.start, TENTH), Period(TENTH, MARCH.end)]


def test_days_before_the_first_meter_of_a_place_are_no_hole() -> None:
    first = replace(meter(1, flat(1)), start=TENTH)
    counted = meters_in([first], MARCH)
    assert counted is not None
    assert [days for _, days in counted] == [Period(TENTH, MARCH.end)]
    assert meters_in([], MARCH) is None
