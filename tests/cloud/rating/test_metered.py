"""Metered lines: tiers over the year, sale and price change by the registers of the day, never zero for unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cloud.rating.drafts import Draft
from cloud.rating.lines import ExceptionKind, RatingException
from cloud.rating.metered import rate_metered, wanted_days
from cloud.tariffs.charge import ChargeBasis
from cloud.tariffs.targets import meter_target
from common.civil import Period
from common.rating.explain import explain
from common.rating.request import Split, SplitCause, SplitUsage
from common.reading.reading import Quality, Resource
from tests.cloud.rating.documents import electricity, water
from tests.cloud.rating.town import (
    MARCH,
    Town,
    flat,
    item,
    meter,
    only_drafts,
    only_exceptions,
    only_segments,
    party,
)

POWER = item("electricity", ChargeBasis.METERED, Resource.ELECTRICITY)
NEW_YEAR, TENTH = date(2026, 1, 1), date(2026, 3, 10)
KWH = 1000
BY_READINGS = Split(cause=SplitCause.PRICE, usage=SplitUsage.READINGS)
BY_DAYS = Split(cause=SplitCause.PRICE, usage=SplitUsage.DAYS)


def rated(town: Town) -> list[Draft | RatingException]:
    desk = town.desk()
    return [found for segment in only_segments(town.segments(POWER)) for found in rate_metered(desk, segment)]


def town() -> Town:
    built = Town()
    built.live(1)
    built.charge(POWER, built.price(electricity()))
    return built


def test_a_month_is_priced_behind_the_usage_of_the_year_so_far() -> None:
    built = town()
    built.read(meter(1, flat(1)), {NEW_YEAR: 0, MARCH.start: 2_100 * KWH, MARCH.end: 2_250 * KWH})
    (draft,) = only_drafts(rated(built))
    assert draft.line.amount_fen == 79_50  # 60 x 0.50 + 90 x 0.55
    assert (draft.quantity_milli, draft.request.prior_milli) == (150 * KWH, 2_100 * KWH)


def test_a_sale_on_the_tenth_splits_by_the_register_of_that_midnight() -> None:
    built = Town()
    built.live(1, p1=(MARCH.start, TENTH), p2=(TENTH, MARCH.end))
    built.charge(POWER, built.price(electricity()))
    built.read(meter(1, flat(1)), {NEW_YEAR: 0, MARCH.start: 2_100 * KWH, TENTH: 2_160 * KWH, MARCH.end: 2_250 * KWH})
    sold, bought = only_drafts(rated(built))
    assert (sold.segment.party_id, sold.line.amount_fen) == (party(1), 30_00)
    assert (bought.segment.party_id, bought.line.amount_fen) == (party(2), 49_50)


def test_a_price_change_inside_the_period_is_split_by_usage_and_not_by_days() -> None:
    built = town()
    built.price(electricity(("1.00", "1.10", "1.20")), TENTH)
    built.read(meter(1, flat(1)), {NEW_YEAR: 0, MARCH.start: 0, TENTH: 10 * KWH, MARCH.end: 100 * KWH})
    old, new = only_drafts(rated(built))
    assert (old.line.amount_fen, new.line.amount_fen) == (5_00, 90_00)
    assert old.segment.revision != new.segment.revision
    assert [draft.request.split for draft in (old, new)] == [BY_READINGS, BY_READINGS]
    assert "因价格调整分段, 用量按分段日的读数" in explain(new.line, "zh")[0]


def test_tiers_of_one_bill_go_on_over_a_price_change_inside_it_and_begin_anew_with_another_payer() -> None:
    tiers: dict[str, Any] = {
        "accumulate": {"over": "bill"},
        "charges": [{**electricity()["charges"][0], "tiers": {"bounds": ["100", "200"]}}],
    }
    dearer = [{**tiers["charges"][0], "prices": ["1.00", "2.00", "3.00"]}]
    registers = {MARCH.start: 0, TENTH: 80 * KWH, MARCH.end: 230 * KWH}
    built = Town()
    built.live(1)
    built.price({**electricity(), **tiers})
    built.charge(POWER, built.price({**electricity(), **tiers, "charges": dearer}, TENTH))
    built.read(meter(1, flat(1)), registers)
    first, second = only_drafts(rated(built))
    assert (first.request.prior_milli, first.line.amount_fen) == (0, 40_00)
    assert (second.request.prior_milli, second.line.amount_fen) == (80 * KWH, 20_00 + 200_00 + 90_00)
    sold = Town()
    sold.live(1, p1=(MARCH.start, TENTH), p2=(TENTH, MARCH.end))
    sold.charge(POWER, sold.price({**electricity(), **tiers}))
    sold.read(meter(1, flat(1)), registers)
    assert [draft.request.prior_milli for draft in only_drafts(rated(sold))] == [0, 0]


def test_a_price_change_without_a_reading_that_night_is_split_by_days_and_says_so() -> None:
    built = town()
    built.price(electricity(("1.00", "1.10", "1.20")), TENTH)
    built.read(meter(1, flat(1)), {NEW_YEAR: 0, MARCH.start: 0, MARCH.end: 310 * KWH})
    old, new = only_drafts(rated(built))
    assert (old.quantity_milli, new.quantity_milli) == (90 * KWH, 220 * KWH)
    assert (old.line.amount_fen, new.line.amount_fen) == (45_00, 220_00)
    assert (old.request.prior_milli, new.request.prior_milli) == (0, 90 * KWH)
    assert old.from_register == new.from_register
    assert old.to_register == new.to_register
    assert [draft.request.split for draft in (old, new)] == [BY_DAYS, BY_DAYS]
    assert explain(old.line, "zh")[0] == (
        "第 1 段, 共 2 段, 2026-03-01 至 2026-03-09, 因价格调整分段, 分段日没有读数, 用量按天数分摊"
    )
    assert explain(new.line, "en")[0] == (
        "Part 2 of 2, 2026-03-10 to 2026-03-31, split where the price changed, "
        "usage spread by days, as no reading stands between"
    )


def test_days_are_spread_only_between_the_nearest_readings() -> None:
    built = town()
    built.price(electricity(("0.60", "0.60", "0.60")), TENTH)
    built.price(electricity(("0.70", "0.70", "0.70")), date(2026, 3, 20))
    built.read(meter(1, flat(1)), {NEW_YEAR: 0, MARCH.start: 0, TENTH: 7 * KWH, MARCH.end: 29 * KWH})
    drafts = only_drafts(rated(built))
    assert [draft.quantity_milli for draft in drafts] == [7 * KWH, 10 * KWH, 12 * KWH]
    assert [draft.request.prior_milli for draft in drafts] == [0, 7 * KWH, 17 * KWH]
    assert [draft.request.split for draft in drafts] == [BY_READINGS, BY_DAYS, BY_DAYS]


def test_a_sale_without_a_reading_that_night_is_an_exception_and_never_spread() -> None:
    built = Town()
    built.live(1, p1=(MARCH.start, TENTH), p2=(TENTH, MARCH.end))
    built.charge(POWER, built.price(electricity()))
    built.read(meter(1, flat(1)), {NEW_YEAR: 0, MARCH.start: 0, MARCH.end: 310 * KWH})
    assert {one.kind for one in only_exceptions(rated(built))} == {ExceptionKind.NO_READING}


def test_a_price_change_in_a_month_whose_end_was_not_read_stays_an_exception() -> None:
    built = town()
    built.price(electricity(("1.00", "1.10", "1.20")), TENTH)
    built.read(meter(1, flat(1)), {NEW_YEAR: 0, MARCH.start: 0})
    assert {one.kind for one in only_exceptions(rated(built))} == {ExceptionKind.NO_READING}


def test_a_new_tier_year_inside_the_period_without_a_reading_is_spread_by_days() -> None:
    first, last, long_ago = date(2025, 12, 16), date(2026, 1, 16), date(2025, 1, 1)
    built = Town(period=Period(first, last))
    built.live(1)
    built.charge(POWER, built.price(electricity(), long_ago), day=long_ago)
    placed = replace(meter(1, flat(1)), start=long_ago)
    built.read(placed, {long_ago: 0, first: 0, last: 31 * KWH})
    old, new = only_drafts(rated(built))
    assert (old.quantity_milli, new.quantity_milli) == (16 * KWH, 15 * KWH)
    assert new.request.prior_milli == 0
    assert new.request.split == Split(cause=SplitCause.TIER_YEAR, usage=SplitUsage.DAYS)


def test_the_running_total_goes_on_over_a_meter_replacement() -> None:
    built = town()
    old = built.read(meter(1, flat(1)), {NEW_YEAR: 0, MARCH.start: 2_100 * KWH, TENTH: 2_140 * KWH})
    new = built.replace_meter(old, TENTH, meter(2, flat(1)))
    built.read(new, {TENTH: 7 * KWH, MARCH.end: 117 * KWH})
    first, second = only_drafts(rated(built))
    assert (first.quantity_milli, second.quantity_milli) == (40 * KWH, 110 * KWH)
    assert second.request.prior_milli == 2_140 * KWH
    assert first.line.amount_fen + second.line.amount_fen == 79_50


@pytest.mark.parametrize(
    ("registers", "blamed"),
    [
        ({NEW_YEAR: 0, MARCH.start: 5 * KWH}, "2026-04-01"),
        ({NEW_YEAR: 0, MARCH.end: 5 * KWH}, "2026-03-01"),
        ({MARCH.start: 0, MARCH.end: 5 * KWH}, "2026-01-01"),
    ],
    ids=["no last register", "no first register", "no register at the start of the tier year"],
)
def test_a_missing_register_is_an_exception_that_names_meter_and_day(registers: dict[date, int], blamed: str) -> None:
    built = town()
    built.read(meter(1, flat(1)), registers)
    (missing,) = only_exceptions(rated(built))
    assert (missing.kind, missing.object_id) == (ExceptionKind.NO_READING, meter(1, None).meter_id)
    assert blamed in missing.detail_zh
    assert blamed in missing.detail_en


@pytest.mark.parametrize(
    ("registers", "quality", "kind"),
    [
        ({MARCH.start: 9, MARCH.end: 8}, Quality.GOOD, ExceptionKind.BACKWARDS),
        ({MARCH.start: 9, MARCH.end: 10}, Quality.JUMP, ExceptionKind.HELD_READING),
    ],
)
def test_a_doubtful_register_is_held(registers: dict[date, int], quality: Quality, kind: ExceptionKind) -> None:
    built = Town()
    built.live(1)
    built.charge(POWER, built.price(water()))
    built.read(meter(1, flat(1)), registers, quality)
    (held,) = only_exceptions(rated(built))
    assert held.kind is kind


def test_defect_14_a_spike_is_held_and_no_zero_and_what_was_counted_is_billed_once_it_is_known() -> None:
    months = [Period(date(2026, 2, 1), MARCH.start), MARCH]
    counted = []
    for period in months:
        built = Town(period=period)
        built.live(1)
        built.charge(POWER, built.price(water()))
        placed = built.read(meter(1, flat(1)), {date(2026, 2, 1): 100 * KWH, MARCH.end: 190 * KWH})
        built.read(placed, {MARCH.start: 9_000 * KWH}, Quality.JUMP)
        (held,) = only_exceptions(rated(built))
        assert held.kind is ExceptionKind.HELD_READING
        key = next(iter(built.registers))
        built.registers[key] = [ref for ref in built.registers[key] if ref.quality is not Quality.JUMP]
        built.read(placed, {MARCH.start: 130 * KWH})
        (draft,) = only_drafts(rated(built))
        counted.append(draft.quantity_milli)
    assert counted == [30 * KWH, 60 * KWH]


def test_defect_19_a_month_filled_in_later_moves_the_next_ones_beginning_and_bills_nothing_twice() -> None:
    readings = {date(2026, 2, 1): 100 * KWH, MARCH.end: 190 * KWH}
    missing = Town()
    missing.live(1)
    missing.charge(POWER, missing.price(water()))
    missing.read(meter(1, flat(1)), readings)
    (hole,) = only_exceptions(rated(missing))
    assert hole.kind is ExceptionKind.NO_READING
    counted = []
    for period in (Period(date(2026, 2, 1), MARCH.start), MARCH):
        built = Town(period=period)
        built.live(1)
        built.charge(POWER, built.price(water()))
        built.read(meter(1, flat(1)), {**readings, MARCH.start: 130 * KWH})
        (draft,) = only_drafts(rated(built))
        counted.append(draft.quantity_milli)
    assert counted == [30 * KWH, 60 * KWH]


def test_a_place_without_a_meter_is_an_exception() -> None:
    (missing,) = only_exceptions(rated(town()))
    assert missing.kind is ExceptionKind.NO_METER


def test_an_estimated_register_marks_the_line() -> None:
    built = town()
    built.read(meter(1, flat(1)), {NEW_YEAR: 0, MARCH.start: 0})
    built.read(meter(1, flat(1)), {MARCH.end: KWH}, Quality.ESTIMATED)
    (draft,) = only_drafts(rated(built))
    assert draft.estimated


def test_nothing_used_is_a_line_of_zero_that_says_so() -> None:
    built = town()
    built.read(meter(1, flat(1)), {NEW_YEAR: 0, MARCH.start: 7, MARCH.end: 7})
    (draft,) = only_drafts(rated(built))
    assert (draft.line.amount_fen, draft.quantity_milli) == (0, 0)


def test_every_register_that_will_be_asked_for_is_known_beforehand() -> None:
    built = town()
    built.read(meter(1, flat(1)), {NEW_YEAR: 0, MARCH.start: 2_100 * KWH, MARCH.end: 2_250 * KWH})
    (segment,) = only_segments(built.segments(POWER))
    asked = {day for one in wanted_days(built.scope(), segment) for day in (one.days.start, one.days.end)}
    assert asked == {NEW_YEAR, MARCH.start, MARCH.end}


def test_a_meter_with_a_tariff_of_its_own_is_priced_apart_from_the_others_of_its_place() -> None:
    built = town()
    built.charge(POWER, built.price({**water(), "code": "workshop"}), target=meter_target(meter(2, None).meter_id))
    built.read(meter(1, flat(1)), {NEW_YEAR: 0, MARCH.start: 2_100 * KWH, MARCH.end: 2_250 * KWH})
    built.read(meter(2, flat(1)), {NEW_YEAR: 0, MARCH.start: 500 * KWH, MARCH.end: 510 * KWH})
    amounts = {draft.meter_id: draft.line.amount_fen for draft in only_drafts(rated(built))}
    assert amounts == {meter(1, None).meter_id: 79_50, meter(2, None).meter_id: 30_00}
