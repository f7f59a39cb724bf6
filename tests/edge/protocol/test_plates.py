"""Plates: every form of the road is known, no camera's word for nothing is one, likeness needs one candidate."""

from __future__ import annotations

import pytest

from edge.protocol.plates import PlateKind, find_likely, kind_of, normalise

KINDS = {
    "京A12345": PlateKind.ORDINARY,
    "赣GZ7S13": PlateKind.ORDINARY,
    "粤Z9065澳": PlateKind.CROSS_BORDER,
    "粤ZA123港": PlateKind.CROSS_BORDER,
    "京AD12345": PlateKind.NEW_ENERGY_SMALL,
    "京AK12345": PlateKind.NEW_ENERGY_SMALL,
    "京A12345D": PlateKind.NEW_ENERGY_LARGE,
    "京A1234警": PlateKind.POLICE,
    "京A1234学": PlateKind.SCHOOL,
    "京A1234挂": PlateKind.TRAILER,
    "224578使": PlateKind.EMBASSY,
    "使224578": PlateKind.EMBASSY,
    "沪A0023领": PlateKind.CONSULATE,
    "WJ京12345": PlateKind.ARMED_POLICE,
    "KA12345": PlateKind.MILITARY,
    "民航A1234": PlateKind.AVIATION,
    "京A123应急": PlateKind.EMERGENCY,
    "京I12345": None,
    "京A1234O": None,
    "京A123456": None,
    "_无_": None,
    "A12345": None,
}


@pytest.mark.parametrize(("plate", "kind"), KINDS.items())
def test_a_text_is_a_plate_of_its_kind_or_none(plate: str, kind: PlateKind | None) -> None:
    assert kind_of(plate) is kind


@pytest.mark.parametrize("text", ["_无_", "无车牌", "车牌", "", "000000", " unknown "])
def test_the_words_of_cameras_for_no_plate_are_none(text: str) -> None:
    assert normalise(text) is None


@pytest.mark.parametrize("text", ["蓝京A12345", " 京a12345 ", "京A·12345"])
def test_colour_case_and_dots_are_no_part_of_a_plate(text: str) -> None:
    assert normalise(text) == "京A12345"


@pytest.mark.parametrize(
    ("seen", "inside", "found"),
    [
        ("京A12345", ["京A12345", "京A1234S"], "京A12345"),
        ("京A1234S", ["京A12345", "京B77777"], "京A12345"),
        ("京A1B345", ["京A18345"], "京A18345"),
        ("津A12345", ["京A12345"], "京A12345"),
        ("京AD1234", ["京AD12345"], "京AD12345"),
        ("京A1234S", ["京A12345", "京AI234S"], None),
        ("京A19999", ["京A12345"], None),
        ("京A12345", [], None),
        ("京A1S34S", ["京A15345"], None),
    ],
)
def test_a_misread_plate_is_matched_only_when_one_car_inside_is_left(
    seen: str, inside: list[str], found: str | None
) -> None:
    assert find_likely(seen, inside) == found
