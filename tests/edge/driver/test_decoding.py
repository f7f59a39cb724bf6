"""Answer data to values: scales, ratios, unit codes, marks for nothing; a misfit is a failure of that point alone."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from common.reading.reading import Quantity
from edge.device.plan import blocks_for
from edge.driver.decoding import decode_block
from edge.driver.outcome import Exchange, FailureKind, PointValue, ReadFailure
from tests.edge.driver.builders import catalogue

EXCHANGE = Exchange(request=b"?", response=b"!")


def decoded(
    model: str, point: str, data: str, parameters: Mapping[str, str] | None = None
) -> tuple[list[PointValue], list[ReadFailure]]:
    profile = catalogue().profile(model)
    (block,) = blocks_for(profile, [profile.point(point)])
    return decode_block(profile, block, bytes.fromhex(data), parameters or {}, EXCHANGE)


@pytest.mark.parametrize(
    ("model", "point", "data", "milli"),
    [
        ("acrel-dtsd1352", "energy_forward", "0001e240", 1_234_560),
        ("chint-dtsu666-101e", "voltage_a", "450fd000", 230_100),
        ("eastron-sdm120", "power", "44fa0000", 2_000),
        ("cjt188-water", "volume", "561200002c" + "00" * 14, 12_560),
        ("cjt188-water", "volume", "5612000029" + "00" * 14, 13),
    ],
)
def test_a_register_is_scaled_exactly(model: str, point: str, data: str, milli: int) -> None:
    values, failures = decoded(model, point, data)

    assert failures == []
    assert values[0].value_milli == milli


def test_transformer_ratios_multiply_and_default_to_one() -> None:
    plain, _ = decoded("acrel-dtsd1352", "energy_forward", "00000064")
    primary, _ = decoded("acrel-dtsd1352", "energy_forward", "00000064", {"ct": "40", "pt": "1.5"})

    assert (plain[0].value_milli, primary[0].value_milli) == (1_000, 60_000)


@pytest.mark.parametrize(
    ("model", "point", "data", "what"),
    [
        ("abb-b23", "energy_forward", "ff" * 8, "not available"),
        ("eastron-sdm120", "voltage", "7fc00000", "no finite number"),
        ("eastron-sdm120", "voltage", "4366", "ends before"),
        ("cjt188-water", "volume", "5612000005" + "00" * 14, "expects m3"),
        ("dlt645-2007-single-phase", "energy_forward", "00140a00", "digit above 9"),
    ],
)
def test_what_must_not_be_billed_is_a_failure_with_its_reason(model: str, point: str, data: str, what: str) -> None:
    values, failures = decoded(model, point, data)

    assert values == []
    assert failures[0].kind is FailureKind.BAD_VALUE
    assert what in failures[0].detail
    assert failures[0].exchange == EXCHANGE


def test_one_bad_point_does_not_take_its_neighbours_with_it() -> None:
    profile = catalogue().profile("abb-b23")
    (block,) = blocks_for(profile, profile.points_of((Quantity.ENERGY_FORWARD, Quantity.ENERGY_REVERSE)))

    values, failures = decode_block(profile, block, bytes(8) + b"\xff" * 8, {}, EXCHANGE)

    assert [value.quantity for value in values] == [Quantity.ENERGY_FORWARD]
    assert [failure.points for failure in failures] == [(Quantity.ENERGY_REVERSE,)]
