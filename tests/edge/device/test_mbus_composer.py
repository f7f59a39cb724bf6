"""Telegrams of made-up M-Bus meters: the profiles hold exactly what the composer makes, and nothing else as derived."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from edge.device.catalogue import load_profile
from edge.device.model import Mark, ProtocolName
from edge.protocol.mbus_records import maker_name, parse_telegram
from tests.edge.device.mbus_composer import LAYOUTS, data_of, made_up_meters, maker_bytes
from tests.edge.driver.builders import PROFILES

MBUS = [path for path in sorted(PROFILES.glob("[a-z]*/*.yaml")) if load_profile(path).protocol is ProtocolName.MBUS]
NAMES = {path.stem for path in MBUS}


@pytest.mark.parametrize("path", MBUS, ids=lambda path: path.stem)
def test_a_derived_telegram_with_values_is_the_one_the_composer_makes(path: Path) -> None:
    profile = load_profile(path)
    recorded = [(one.request, one.response) for one in profile.recordings if one.values and one.mark is Mark.DERIVED]

    made = made_up_meters(profile.model, profile.maker)

    assert recorded == [(meter.request(), meter.telegram()) for meter in made]


@pytest.mark.parametrize("path", MBUS, ids=lambda path: path.stem)
def test_what_a_model_refuses_is_made_from_a_telegram_that_it_takes(path: Path) -> None:
    profile = load_profile(path)
    taken = [one.response for one in profile.recordings if one.values]

    damaged = [one.response for one in profile.recordings if one.failure in {"bad_value", "bad_frame"}]

    assert damaged
    assert all(any(unlike(whole, one) <= 2 for whole in taken if len(whole) == len(one)) for one in damaged)


def unlike(one: bytes, other: bytes) -> int:
    return sum(left != right for left, right in zip(one, other, strict=True))


def test_every_layout_belongs_to_a_model_and_every_model_without_one_has_a_published_telegram() -> None:
    layouts = set(yaml.safe_load(LAYOUTS.read_text(encoding="utf-8")))
    published = {
        path.stem
        for path in MBUS
        if any(one.values and one.mark is not Mark.DERIVED for one in load_profile(path).recordings)
    }

    assert layouts <= NAMES
    assert layouts | published == NAMES


def test_made_up_meters_are_told_apart_by_serial_and_address() -> None:
    meters = [meter for name in sorted(NAMES) for meter in made_up_meters(name, "ABC")]

    assert len({meter.serial for meter in meters}) == len(meters)
    assert len({meter.primary for meter in meters}) == len(meters)


def test_a_composed_telegram_says_its_serial_maker_medium_and_status() -> None:
    (meter,) = made_up_meters("svm-f2", "SVM")

    telegram = parse_telegram(meter.telegram(status=2))

    assert (telegram.serial, telegram.maker, telegram.medium, telegram.status) == (meter.serial, "SVM", 4, 2)
    assert telegram.more_follows
    assert len(telegram.records) == len(meter.records)


@pytest.mark.parametrize(
    ("head", "digits", "data"),
    [
        ("02fd48", -2, "feff"),
        ("0406", 258, "02010000"),
        ("0a5a", 1234, "3412"),
        ("0b3b", 5, "050000"),
        ("0c13", 0, "00000000"),
    ],
)
def test_digits_take_the_form_that_the_record_says(head: str, digits: int, data: str) -> None:
    assert data_of(head, digits).hex() == data


def test_a_maker_is_sent_as_three_letters_of_five_bits() -> None:
    assert maker_bytes("KAM").hex() == "2d2c"
    assert maker_name(int.from_bytes(maker_bytes("SVM"), "little")) == "SVM"
