"""What a simulated meter shows: lines in time, tariffs that add up, bytes as its registers have them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from common.reading.reading import Quantity
from edge.cli.simulated_values import COUNTED_FROM, item_bytes, register_bytes, value_of
from tests.edge.driver.builders import NOON, catalogue, device

METER = device(1, "dlt645-2007-three-phase", "000000000012")


def test_a_counter_never_runs_backwards_not_before_its_beginning_either() -> None:
    point = catalogue().profile("dlt645-2007-three-phase").point("energy_forward")
    instants = [COUNTED_FROM - timedelta(days=9), COUNTED_FROM, NOON, NOON + timedelta(days=400)]

    shown = [value_of(METER, point, at) for at in instants]

    assert shown == sorted(shown)
    assert shown[0] == shown[1]


def test_the_tariffs_add_up_to_the_total() -> None:
    profile = catalogue().profile("dlt645-2007-single-phase")
    parts = [value_of(METER, profile.point(f"energy_t{n}"), NOON) for n in (1, 2, 3, 4)]

    assert sum(parts) == value_of(METER, profile.point("energy_forward"), NOON)


@pytest.mark.parametrize(
    ("kind", "size", "order", "expected"),
    [
        ("u32", 4, "ABCD", "00012345"),
        ("u32", 4, "CDAB", "23450001"),
        ("u32", 4, "BADC", "01004523"),
        ("u32", 4, "DCBA", "45230100"),
        ("bcd_low_first", 4, "ABCD", "65457400"),
        ("bcd", 4, "ABCD", "00744565"),
        ("f32", 4, "ABCD", "4791a280"),
    ],
)
def test_a_count_is_packed_as_the_register_has_it(kind: str, size: int, order: str, expected: str) -> None:
    profile = catalogue().profile("acrel-dtsd1352")
    shown = Fraction(0x12345) if kind.startswith(("u", "f")) else Fraction(744_565)
    base = replace(profile.point("energy_forward"), type=kind, size=size, order=order, multiply_by=())
    point = replace(base, scale=value_of(METER, base, NOON) / shown)

    assert register_bytes(METER, profile, point, NOON).hex() == expected


def test_a_ratio_and_a_first_dial_stand_in_the_parameters() -> None:
    profile = catalogue().profile("acrel-dtsd1352")
    point = profile.point("energy_forward")
    behind = replace(METER, parameters={"ct": "20"})

    direct = int.from_bytes(register_bytes(METER, profile, point, NOON))

    assert point.quantity is Quantity.ENERGY_FORWARD
    assert abs(int.from_bytes(register_bytes(behind, profile, point, NOON)) * 20 - direct) <= 10


def test_an_unknown_identifier_has_no_data() -> None:
    assert item_bytes(METER, catalogue().profile("dlt645-2007-three-phase"), "ffffffff", NOON) is None
