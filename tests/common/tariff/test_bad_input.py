"""Bad input by name: each thing that must be refused, with where it stands, what is wrong and how to mend it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from common.errors import Fault, FaultsError
from common.rating.engine import rate
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.request import RatingRequest
from common.rating.windows import WindowFinder
from common.tariff.daytype import UnknownYearError, parse_calendar
from common.tariff.document import parse_tariff
from tests.common.tariff import library
from tests.common.tariff.builders import JUNE, body, graduated, stay, tariff, unit_price, usage

FLAT = {"charges": [{"key": "c", "price": "1"}]}


def faults_of(**fields: object) -> list[Fault]:
    with pytest.raises(FaultsError) as refusal:
        parse_tariff(body(**fields))
    assert all(fault.where and fault.what and fault.remedy for fault in refusal.value.faults)
    return list(refusal.value.faults)


def places(**fields: object) -> set[str]:
    return {fault.where for fault in faults_of(**fields)}


def test_overlapping_bands_are_refused() -> None:
    tiers = {"bounds": ["100", "90", "90"]}
    assert places(tiers=tiers, charges=[{"key": "c", "prices": ["1", "2", "3", "4"]}]) == {
        "tiers.bounds[1]",
        "tiers.bounds[2]",
    }


def test_a_last_band_that_ends_without_saying_so_is_refused() -> None:
    (fault,) = faults_of(tiers={"bounds": ["100", "200"]}, charges=[{"key": "c", "prices": ["1", "2"]}])
    assert (fault.where, fault.what) == ("charges[0].prices", "2 prices stand for 3 tiers")
    assert fault.remedy == "write 3 prices (the last tier is open unless `closed: true`)"


def test_usage_above_a_last_band_that_says_it_ends_is_refused_and_not_free() -> None:
    tiers = {"bounds": ["100", "200"], "closed": True}
    closed = tariff(tiers=tiers, charges=[{"key": "c", "prices": ["1", "2"]}])
    assert rate(closed, usage(200_000)).amount_fen == 30_000
    with pytest.raises(RatingRefusedError, match="the tariff gives no price above 200") as refusal:
        rate(closed, usage(200_001))
    assert refusal.value.kind is RefusalKind.NO_PRICE


def test_an_open_ended_block_before_the_last_is_refused() -> None:
    blocks = [{"every": 60, "price": "5"}, {"every": 60, "price": "1"}]
    (fault,) = faults_of(session={"blocks": blocks})
    assert (fault.where, fault.what) == (
        "session.blocks[0].minutes",
        "the block never ends, so later ones are never used",
    )


def test_a_hole_between_tiers_is_refused() -> None:
    """Tiers share their bounds, so a hole can only be a tier without a price."""
    (fault,) = faults_of(tiers={"bounds": ["100", "200", "300"]}, charges=[{"key": "c", "prices": ["1", "2", "3"]}])
    assert fault.what == "3 prices stand for 4 tiers"


def test_a_hole_between_session_blocks_is_refused() -> None:
    (fault,) = faults_of(session={"blocks": [{"minutes": 60, "every": 60, "price": "5"}]})
    assert fault.what == "time after the last block would be free"


def test_an_unknown_unit_is_refused() -> None:
    (fault,) = faults_of(unit="kilowatt hours", **FLAT)
    assert fault.where == "unit"
    assert fault.remedy.startswith("use one of kWh, m3")


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"charges": [{"key": "c", "price": "-0.5"}]}, "charges[0].price"),
        ({"session": {"blocks": [{"every": 60, "price": "-5"}]}}, "session.blocks[0].price"),
        ({"late_charge": {"rate_per_day": "-0.001"}}, "late_charge.rate_per_day"),
        ({**FLAT, "adjust": [{"discount": "-0.1"}]}, "adjust[0].discount"),
    ],
)
def test_a_negative_price_is_refused(fields: dict[str, object], where: str) -> None:
    (fault,) = faults_of(**fields)
    assert fault.where == where
    assert "is negative" in fault.what


def test_a_window_that_no_time_falls_in_is_refused() -> None:
    windows = [{"name": "day", "times": ["00:00-24:00"]}, {"name": "never", "times": []}]
    prices = {"day": "1", "never": "2"}
    (fault,) = faults_of(windows=windows, charges=[{"key": "c", "by_window": prices}])
    assert (fault.where, fault.what) == ("windows[1].times", "no time of day falls into the window")


def test_a_window_that_earlier_ones_leave_nothing_to_is_refused() -> None:
    windows = [{"name": "day", "times": ["00:00-24:00"]}, {"name": "never", "times": ["08:00-09:00"]}]
    prices = {"day": "1", "never": "2"}
    (fault,) = faults_of(windows=windows, charges=[{"key": "c", "by_window": prices}])
    assert (fault.where, fault.what) == ("windows[1].times", "earlier windows hold all of its time")
    blocks = [{"every": 60, "price": "1"}]
    session = {"windows": [{**window, "blocks": blocks} for window in windows]}
    assert places(session=session) == {"session.windows[1].times"}


def test_a_minute_that_no_window_holds_is_refused() -> None:
    (fault,) = faults_of(
        windows=[{"name": "day", "times": ["08:00-24:00"]}], charges=[{"key": "c", "by_window": {"day": "1"}}]
    )
    assert fault.what == "no window holds 00:00 on a Monday of month 1"


def test_a_year_missing_in_the_calendar_is_refused_and_never_guessed() -> None:
    notices: list[dict[str, object]] = [
        {"year": year, "source": "notice", "days_off": [], "workdays": [], "statutory": []} for year in (2024, 2026)
    ]
    calendar = parse_calendar("cn", notices)
    with pytest.raises(UnknownYearError, match=r"no official notice for 2025 \(known: 2024, 2026\)"):
        calendar.kind_of(date(2025, 6, 2))
    off = {
        "name": "off",
        "times": ["00:00-24:00"],
        "days": ["day_off", "statutory"],
        "blocks": [{"every": 60, "price": "5"}],
    }
    work = {**off, "name": "work", "days": ["workday"]}
    session = stay(("2025-06-02T09:00", "2025-06-02T10:00"))
    with pytest.raises(RatingRefusedError) as refusal:
        rate(tariff(session={"windows": [off, work]}), RatingRequest(period=JUNE, session=session, calendar=calendar))
    assert refusal.value.kind is RefusalKind.NO_CALENDAR


def test_a_cap_below_the_minimum_is_refused() -> None:
    (fault,) = faults_of(**FLAT, adjust=[{"cap": "1"}, {"minimum": "2"}])
    assert (fault.where, fault.what) == ("adjust", "the cap 1 is below the minimum 2")


def test_ten_thousand_tiers_are_refused() -> None:
    bounds = [str(n) for n in range(1, 10_000)]
    prices = ["1"] * 10_000
    found = faults_of(tiers={"bounds": bounds}, charges=[{"key": "c", "prices": prices}])
    assert {"tiers.bounds: the list has 9999 entries; use at most 200"} <= {str(fault) for fault in found}


@pytest.mark.parametrize("text", ["\uff11.5", "\u0661", "\u06f1.5", "1\u00b2", "\u2155", "O.5", "l5", "1\u202e5"])
def test_text_with_look_alike_digits_is_refused(text: str) -> None:
    assert places(charges=[{"key": "c", "price": text}]) == {"charges[0].price"}
    assert places(tiers={"bounds": [text]}, charges=[{"key": "c", "prices": ["1", "2"]}]) == {"tiers.bounds[0]"}


@pytest.mark.parametrize("value", ["NaN", "nan", "Infinity", "-inf", float("nan"), float("inf"), Decimal("NaN")])
def test_nan_and_infinity_are_refused(value: object) -> None:
    assert places(charges=[{"key": "c", "price": value}]) == {"charges[0].price"}


def test_negative_usage_is_refused_with_the_reason() -> None:
    with pytest.raises(RatingRefusedError, match="the usage -1 milli is below zero") as refusal:
        rate(unit_price("1"), usage(-1))
    assert refusal.value.kind is RefusalKind.NEGATIVE_USAGE


def test_missing_usage_is_refused_and_never_priced_as_zero() -> None:
    with pytest.raises(RatingRefusedError, match=r"there is no usage for 2026-06-01\.\.2026-07-01") as refusal:
        rate(unit_price("1"), RatingRequest(period=JUNE))
    assert refusal.value.kind is RefusalKind.NO_USAGE
    assert rate(unit_price("1"), usage(0)).amount_fen == 0


def test_all_of_these_in_one_document_are_listed_at_once() -> None:
    found = places(
        unit="kilowatt hours",
        tiers={"bounds": ["100", "90"]},
        charges=[{"key": "c", "prices": ["1", "-2", "NaN"]}, {"key": "d", "price": "\uff11"}],
        adjust=[{"cap": "1"}, {"minimum": "2"}],
    )
    assert found == {
        "unit",
        "tiers.bounds[1]",
        "charges[0].prices[1]",
        "charges[0].prices[2]",
        "charges[1].price",
        "adjust",
    }


def test_an_instant_that_no_window_holds_is_refused() -> None:
    compiled = tariff(
        windows=[{"name": "day", "times": ["00:00-24:00"]}], charges=[{"key": "c", "by_window": {"day": "1"}}]
    )
    finder = WindowFinder(compiled.document.windows[:0], library.SHANGHAI.zone, None)
    with pytest.raises(RatingRefusedError, match="no window holds 2026-06-01 08:00"):
        finder.at(datetime(2026, 6, 1, tzinfo=UTC))


def test_a_tier_bound_that_facts_turn_around_is_refused() -> None:
    compiled = graduated(["households * 10", "100"], ["1", "2", "3"])
    with pytest.raises(RatingRefusedError, match="tier bounds worked out from facts do not rise") as refusal:
        rate(compiled, RatingRequest(period=JUNE, quantity_milli=1_000, facts={"households": 11}))
    assert refusal.value.kind is RefusalKind.FORMULA
