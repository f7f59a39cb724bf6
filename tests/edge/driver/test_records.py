"""Which record a point means: its kind, function, storage, tariff and qualifiers, from the maker it was written for."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from common.reading.reading import Quantity
from edge.device.model import Point, PointKind, RecordPlace
from edge.driver.records import find_records, record_value, telegrams_of
from edge.protocol.values import ValueRefusedError
from tests.conformance.vectors import vector_bytes
from tests.edge.protocol.test_mbus_records import telegram_of
from tests.simulation.devices.mbus_slaves import frame

PLACE = RecordPlace(record="volume")
POINT = Point(
    id="volume",
    quantity=Quantity.VOLUME,
    place=PLACE,
    type="",
    size=0,
    order="ABCD",
    scale=Fraction(1),
    unit="m3",
    kind=PointKind.CUMULATIVE,
    billing=True,
)


def test_only_the_record_that_the_place_names_is_found() -> None:
    telegrams = telegrams_of(vector_bytes("mbus-004"), "")

    assert [one.storage for one in find_records(telegrams, PLACE)] == [0]
    assert [one.storage for one in find_records(telegrams, replace(PLACE, storage=1))] == [1]
    assert find_records(telegrams, replace(PLACE, function="maximum")) == []
    assert find_records(telegrams, replace(PLACE, tariff=1)) == []
    assert find_records(telegrams, replace(PLACE, qualifiers=b"\x7f")) == []


def test_the_value_is_in_the_points_unit_and_the_raw_record_goes_with_it() -> None:
    raw, value = record_value(telegrams_of(vector_bytes("mbus-004"), "ACW"), POINT, PLACE)

    assert value == Fraction("54.321")
    assert raw.hex() == "041331d40000"


def test_joules_become_the_gigajoules_that_a_heat_bill_counts() -> None:
    point = replace(POINT, unit="GJ", quantity=Quantity.HEAT_ENERGY)

    _, value = record_value(telegrams_of(telegram_of("040f01000000"), ""), point, RecordPlace(record="energy"))

    assert value == Fraction(1, 100)


@pytest.mark.parametrize(
    ("data", "maker", "reason"),
    [
        pytest.param(telegram_of("0c1300000000"), "SEN", "maker KAM", id="another maker's meter"),
        pytest.param(telegram_of("0c1300000000", status=2), "", "application error", id="a meter in error"),
        pytest.param(telegram_of("0c1300000000")[:-1], "", "cut", id="a cut telegram"),
        pytest.param(
            telegram_of("0c1300000000") + frame(8, 5, b"\x72\x01\x02\x03\x04" + b"\x2d\x2c\x1b\x04" + bytes(4)),
            "",
            "two meters",
            id="two meters",
        ),
    ],
)
def test_a_readout_that_must_not_be_used_is_refused(data: bytes, maker: str, reason: str) -> None:
    with pytest.raises(ValueRefusedError, match=reason):
        telegrams_of(data, maker)


@pytest.mark.parametrize(
    ("records", "unit", "reason"),
    [
        pytest.param("0406e7910000", "m3", "sends no volume", id="no such record"),
        pytest.param("0c13010000000c1302000000", "m3", "differ", id="two that differ"),
        pytest.param("0c1301000000", "kWh", "expects kWh", id="another unit"),
    ],
)
def test_a_value_that_is_not_the_wanted_one_is_refused(records: str, unit: str, reason: str) -> None:
    with pytest.raises(ValueRefusedError, match=reason):
        record_value(telegrams_of(telegram_of(records), ""), replace(POINT, unit=unit), PLACE)


def test_a_record_that_a_meter_sends_twice_alike_is_one_value() -> None:
    _, value = record_value(telegrams_of(telegram_of("0c13010000000c1301000000"), ""), POINT, PLACE)

    assert value == Fraction(1, 1000)
