"""Estimates against the cloud's figure: the same month agrees, whatever else differs is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from cloud.metering.estimates import Estimate
from cloud.rating.estimates import checkable, difference, wanted_days
from cloud.tariffs.charge import ChargeBasis
from common.civil import midnight
from common.reading.reading import Quantity, Resource
from common.tariff.revision import RevisionRef
from tests.cloud.rating.documents import electricity, time_of_use
from tests.cloud.rating.town import MARCH, ZONE, Town, flat, item, meter, tariff_of

POWER = item("electricity", ChargeBasis.METERED, Resource.ELECTRICITY)
NEW_YEAR, ELEVENTH = date(2026, 1, 1), date(2026, 3, 11)
KWH = 1000


def town() -> Town:
    built = Town()
    built.live(1)
    built.charge(POWER, built.price(electricity()))
    built.read(meter(1, flat(1)), {NEW_YEAR: 0, MARCH.start: 2_100 * KWH, MARCH.end: 2_250 * KWH})
    return built


def estimate(built: Town, amount_fen: int, usage_kwh: int = 150, **facts: object) -> Estimate:
    (known, *_) = next(iter(built.revisions.values()))
    base = Estimate(
        meter_id=meter(1, None).meter_id,
        charge_code="electricity",
        period=MARCH,
        usage_milli=usage_kwh * KWH,
        amount_fen=amount_fen,
        revision=known.ref,
    )
    return replace(base, **facts)  # type: ignore[arg-type]


def differs(built: Town, one: Estimate) -> str | None:
    checked = checkable(built.scope(), one)
    assert checked is not None
    assert all(days.meter.meter_id == one.meter_id for days in wanted_days(built.scope(), checked))
    report = difference(built.desk(), checked)
    return None if report is None else report.detail_en


def test_the_same_registers_and_price_agree() -> None:
    built = town()
    assert differs(built, estimate(built, 79_50)) is None


@pytest.mark.parametrize(("amount_fen", "usage_kwh"), [(79_51, 150), (79_49, 150), (79_50, 149)])
def test_one_fen_or_one_unit_off_is_told(amount_fen: int, usage_kwh: int) -> None:
    built = town()
    assert differs(built, estimate(built, amount_fen, usage_kwh)) is not None


def test_an_outdated_price_is_named() -> None:
    built = town()
    old = RevisionRef(tariff_code="electricity", effective_from=NEW_YEAR, rev=1, body_sha="0" * 64)
    told = differs(built, estimate(built, 70_00, revision=old))
    assert told is not None
    assert "outdated price" in told


def test_a_price_change_inside_the_month_may_be_split_by_days_or_by_registers() -> None:
    built = town()
    built.price(electricity(("1.00", "1.00", "1.00")), ELEVENTH)
    built.read(meter(1, flat(1)), {ELEVENTH: 2_110 * KWH})
    by_registers = 5_00 + 140_00
    by_days = 24_19 + 101_61 + 1  # 150 x 10/31 = 48.387 at 0.50, the rest at 1.00, rounded once
    assert differs(built, estimate(built, by_registers)) is None
    assert differs(built, estimate(built, by_days)) is None
    assert differs(built, estimate(built, by_days + 1)) is not None


def test_what_the_cloud_cannot_price_is_no_difference() -> None:
    built = town()
    checked = checkable(built.scope(), estimate(built, 1))
    assert checked is not None
    built.registers.clear()
    assert difference(built.desk(), checked) is None


@pytest.mark.parametrize(
    "foreign", [{"meter_id": meter(9, None).meter_id}, {"charge_code": "heat"}], ids=["another meter", "another charge"]
)
def test_an_estimate_of_nothing_the_cloud_charges_is_left_alone(foreign: dict[str, object]) -> None:
    built = town()
    assert checkable(built.scope(), estimate(built, 79_50, 150, **foreign)) is None


def by_rates(*prices: tuple[date, str]) -> Town:
    """Return a meter by time of use, with its price of the peak from some days on."""
    built = Town()
    built.live(1)
    for day, peak in prices:
        charge = {"key": "energy", "by_window": {"peak": peak, "valley": "0.30"}}
        built.price(time_of_use(code="electricity", charges=[charge]), day)
    built.charge(POWER, tariff_of("electricity"))
    placed = built.read(meter(1, flat(1)), {MARCH.start: 0, MARCH.end: 93 * KWH})
    for quantity, counted in ((Quantity.ENERGY_T2, 62), (Quantity.ENERGY_T4, 31)):
        built.show(placed, quantity, {midnight(MARCH.start, ZONE): 0, midnight(MARCH.end, ZONE): counted * KWH})
    return built


def test_an_estimate_by_rate_registers_agrees() -> None:
    built = by_rates((NEW_YEAR, "0.60"))
    assert differs(built, estimate(built, 62 * 60 + 31 * 30, 93)) is None
    assert differs(built, estimate(built, 62 * 60 + 31 * 30 + 1, 93)) is not None


def test_an_estimate_by_rate_registers_spread_by_days_at_a_price_change_agrees() -> None:
    built = by_rates((NEW_YEAR, "0.60"), (ELEVENTH, "1.00"))
    built.read(meter(1, flat(1)), {ELEVENTH: 30 * KWH})
    assert differs(built, estimate(built, 20 * 60 + 42 * 100 + 31 * 30, 93)) is None


def by_windows_apart(*, told_new_year: bool = True) -> Town:
    """Return a meter by time of use whose tiers count each window over the year."""
    built = Town()
    built.live(1)
    prices = {"peak": ["0.60", "1.00"], "valley": ["0.30", "2.00"]}
    charge = {"key": "energy", "tiers": {"bounds": ["100"], "windows": "separate"}, "by_window": prices}
    document = time_of_use(code="electricity", accumulate={"over": "year"}, charges=[charge])
    built.charge(POWER, built.price(document))
    placed = built.read(meter(1, flat(1)), {NEW_YEAR: 0, MARCH.start: 175 * KWH, MARCH.end: 215 * KWH})
    for quantity, before, after in ((Quantity.ENERGY_T2, 80, 110), (Quantity.ENERGY_T4, 95, 105)):
        shown = {midnight(MARCH.start, ZONE): before * KWH, midnight(MARCH.end, ZONE): after * KWH}
        built.show(placed, quantity, ({midnight(NEW_YEAR, ZONE): 0} if told_new_year else {}) | shown)
    return built


def test_an_estimate_of_tiers_of_each_window_agrees_from_the_registers_of_new_year() -> None:
    built = by_windows_apart()
    fen = 20 * 60 + 10 * 100 + 5 * 30 + 5 * 200
    assert differs(built, estimate(built, fen, 40)) is None
    assert differs(built, estimate(built, fen + 1, 40)) is not None
    as_if_nothing_before = 30 * 60 + 10 * 30
    assert differs(built, estimate(built, as_if_nothing_before, 40)) is not None


def test_tiers_of_each_window_without_the_registers_of_new_year_are_no_difference() -> None:
    built = by_windows_apart(told_new_year=False)
    assert differs(built, estimate(built, 1, 40)) is None
