"""One price: the gateway's estimate and the cloud's line of the same readings are the same to the fen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from cloud.rating.metered import rate_metered
from cloud.tariffs.charge import ChargeBasis
from common.civil import midnight
from common.reading.reading import Quantity, Reading, Resource
from common.tariff.document import parse_tariff
from common.wire.records import ProvisionalLine
from edge.driver.outcome import DeviceConfig
from edge.prerate.estimator import Estimator
from edge.prerate.prices import parse_prices
from tests.cloud.rating.documents import Document, time_of_use
from tests.cloud.rating.town import MARCH, ZONE, Town, flat, item, meter, only_drafts, only_segments

POWER = item("power", ChargeBasis.METERED, Resource.ELECTRICITY)
NEW_YEAR = date(2026, 1, 1)
PLACED = meter(1, flat(1))
TOTAL, PEAK, VALLEY = Quantity.ENERGY_FORWARD, Quantity.ENERGY_T2, Quantity.ENERGY_T4
Shown = Mapping[Quantity, Mapping[datetime, int]]


def cloud_fen(prices: Mapping[date, Document], shown: Shown) -> int:
    """Return what the cloud makes of March."""
    built = Town()
    built.live(1)
    (tariff_id,) = {built.price(document, day) for day, document in prices.items()}
    built.charge(POWER, tariff_id)
    placed = built.read(PLACED, {})
    for quantity, registers in shown.items():
        built.show(placed, quantity, registers)
    desk = built.desk()
    found = [one for segment in only_segments(built.segments(POWER)) for one in rate_metered(desk, segment)]
    return sum(draft.line.amount_fen for draft in only_drafts(found))


def gateway_fen(prices: Mapping[date, Document], shown: Shown) -> int:
    """Return what the gateway estimates of March."""
    tariffs = {day: parse_tariff(document) for day, document in prices.items()}
    revisions = [
        {
            "tariff_code": tariff.header.code,
            "effective_from": day.isoformat(),
            "rev": 1,
            "body_sha": tariff.body_sha,
            "body": tariff.body,
        }
        for day, tariff in tariffs.items()
    ]
    code = revisions[0]["tariff_code"]
    assigned = {"meter_id": str(PLACED.meter_id), "charge_code": "power", "tariff_code": code}
    estimator = Estimator({}, ZONE)
    estimator.use(parse_prices({"revisions": revisions, "assignments": [assigned]}))
    device = DeviceConfig(
        meter_id=PLACED.meter_id,
        serial="E1",
        wire="bus",
        profile="meter",
        address="1",
        resource=Resource.ELECTRICITY,
        points=tuple(shown),
        multiplier_milli=1000,
    )
    lines: list[ProvisionalLine] = []
    for slot in sorted({slot for registers in shown.values() for slot in registers}):
        readings = [
            Reading(meter_id=PLACED.meter_id, quantity=quantity, read_at=slot, value_milli=registers[slot])
            for quantity, registers in shown.items()
            if slot in registers
        ]
        records = estimator.observe(device, slot, readings).records
        lines += [record for record in records if isinstance(record, ProvisionalLine)]
    (march,) = [line for line in lines if line.period_start == MARCH.start.isoformat()]
    return march.amount_fen


def quarters(start: date, end: date) -> dict[datetime, int]:
    """Return a register at every quarter of an hour that counts unevenly, in milli-units."""
    slots, first = (midnight(end, ZONE) - midnight(start, ZONE)) // timedelta(minutes=15), midnight(start, ZONE)
    registers, total = {}, 12_345
    for number in range(slots + 1):
        registers[first + timedelta(minutes=15 * number)] = total
        total += 7 * number % 113
    return registers


def tiers(order: str, *peak: str) -> list[dict[str, Any]]:
    by_window = {"peak": list(peak), "valley": ["0.2871", "0.3371"]}
    return [{"key": "energy", "tiers": {"bounds": ["60"], "windows": order}, "by_window": by_window}]


@pytest.mark.parametrize("order", ["proportional", "in_order", "separate"])
def test_windows_by_interval_cost_the_same_at_the_gateway(order: str) -> None:
    prices = {NEW_YEAR: time_of_use(charges=tiers(order, "0.5583", "0.6083"))}
    shown = {TOTAL: quarters(MARCH.start, MARCH.end)}
    assert gateway_fen(prices, shown) == cloud_fen(prices, shown) > 0


def test_windows_by_interval_cost_the_same_over_a_price_change_inside_the_month() -> None:
    prices = {
        NEW_YEAR: time_of_use(charges=tiers("proportional", "0.5583", "0.6083")),
        date(2026, 3, 11): time_of_use(charges=tiers("proportional", "0.9001", "0.9501")),
    }
    shown = {TOTAL: quarters(MARCH.start, MARCH.end)}
    assert gateway_fen(prices, shown) == cloud_fen(prices, shown) > 0


def test_tiers_of_each_window_over_the_year_cost_the_same_at_the_gateway() -> None:
    prices = {NEW_YEAR: time_of_use(accumulate={"over": "year"}, charges=tiers("separate", "0.5583", "0.6083"))}
    days = (NEW_YEAR, date(2026, 2, 1), MARCH.start, MARCH.end)
    peak = dict(zip((midnight(day, ZONE) for day in days), (1_000, 31_234, 55_555, 81_111), strict=True))
    valley = dict(zip(peak, (500, 20_001, 58_777, 99_999), strict=True))
    shown = {TOTAL: {slot: peak[slot] + valley[slot] for slot in peak}, PEAK: peak, VALLEY: valley}
    assert gateway_fen(prices, shown) == cloud_fen(prices, shown) > 0
