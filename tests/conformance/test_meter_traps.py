"""Traps of the meter protocols that no other test names: what other people's code got wrong, held here."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from fractions import Fraction
from uuid import UUID

import pytest

from common.ids import MeterId
from common.reading.reading import Quantity, Resource
from edge.device.model import ItemPlace, Profile, ProtocolName, RegisterPlace
from edge.device.plan import read_plan
from edge.driver.decoding import decode_block
from edge.driver.message_book import Heard, MessageBook
from edge.driver.outcome import DeviceConfig, Exchange, WireStats
from edge.protocol import dlt645
from edge.protocol.description import describe
from edge.protocol.receiver import Receiver
from tests.edge.driver.builders import NOON, catalogue
from tests.simulation.devices.converter import digits

DLT645_2007 = [one for one in catalogue().profiles.values() if one.protocol is ProtocolName.DLT645_2007]
SLOW_LINES = frozenset({ProtocolName.DLT645_2007, ProtocolName.DLT645_1997, ProtocolName.CJT188})
NOTHING = Exchange(request=b"", response=b"")


def value(profile: Profile, quantity: Quantity, data: bytes) -> Fraction:
    """Return what a model makes of the data of the quantity's own answer."""
    (block,) = read_plan(profile, (quantity,))
    values, failures = decode_block(profile, block, data, {}, NOTHING)
    assert failures == []
    return Fraction(values[0].value_milli, 1000)


def test_a_request_whose_identifier_was_scrambled_twice_is_not_the_item_it_meant() -> None:
    meant = dlt645.pack_identifier("00010000", dlt645.Edition.Y2007)
    twice = bytes((byte + 0x33) & 0xFF for byte in meant)

    described = describe("DL/T645-2007", dlt645.build_frame(bytes(6), dlt645.READ_2007, twice))

    assert described["di"] == "33343333"
    assert "meaning" not in described


@pytest.mark.parametrize("profile", DLT645_2007, ids=lambda profile: profile.model)
def test_an_energy_above_800000_is_not_negative(profile: Profile) -> None:
    assert value(profile, Quantity.ENERGY_FORWARD, digits(91_234_567, 4)) == Fraction("912345.67")


@pytest.mark.parametrize("profile", DLT645_2007, ids=lambda profile: profile.model)
def test_forward_energy_is_00010000_and_never_the_combined_00000000(profile: Profile) -> None:
    place = profile.points_of((Quantity.ENERGY_FORWARD,))[0].place

    assert isinstance(place, ItemPlace)
    assert place.identifier == "00010000"
    assert all(getattr(point.place, "identifier", "") != "00000000" for point in profile.points)


def test_a_voltage_of_the_2007_edition_has_two_bytes_and_a_third_is_refused() -> None:
    profile = catalogue().profile("dlt645-2007-single-phase")

    assert {item.identifier: item.data_bytes for item in profile.items}["02010100"] == 2
    assert value(profile, Quantity.VOLTAGE, digits(2306, 2)) == Fraction("230.6")


def test_a_voltage_of_the_1997_edition_has_no_decimals() -> None:
    assert value(catalogue().profile("dlt645-1997"), Quantity.VOLTAGE, digits(231, 2)) == 231


@pytest.mark.parametrize(
    "profile",
    [one for one in catalogue().profiles.values() if one.protocol in SLOW_LINES],
    ids=lambda profile: profile.model,
)
def test_no_model_of_a_slow_line_is_given_up_within_a_second(profile: Profile) -> None:
    assert profile.timing.answer_ms >= 1000
    assert profile.timing.longest_ms >= 2 * profile.timing.answer_ms


def test_a_frame_is_never_longer_than_the_200_bytes_of_the_standard() -> None:
    assert dlt645.missing_bytes(bytes.fromhex("68aaaaaaaaaaaa6891c8")) == 202
    assert dlt645.missing_bytes(bytes.fromhex("68aaaaaaaaaaaa6891c9")) is None


def test_a_wake_up_byte_inside_a_frame_is_data() -> None:
    question = dlt645.IdentifierQuestion(address="000000120016", identifier="00010000")
    frame = dlt645.build_frame(dlt645.pack_address(question.address), 0x91, bytes.fromhex("00000100cbcbcbcb"))
    receiver = Receiver(dlt645.Dlt645(), question)
    receiver.feed(b"\xfe\xfe" + frame)

    assert frame.count(0xFE) == 4 + 4
    assert receiver.examine(silent=True).verdict is not None


@pytest.mark.parametrize("model", ["acrel-dtsd1352", "acrel-adl3000-e"])
def test_forgetting_the_transformer_shows_as_its_factor(model: str) -> None:
    profile = catalogue().profile(model)
    (block,) = read_plan(profile, (Quantity.ENERGY_T1,))
    data = (1).to_bytes(4)

    bare, _ = decode_block(profile, block, data, {}, NOTHING)
    wired, _ = decode_block(profile, block, data, {"ct": "200", "pt": "10"}, NOTHING)

    assert wired[0].value_milli == 2000 * bare[0].value_milli
    assert wired[0].raw == bare[0].raw == data


def test_addresses_are_as_sent_on_the_wire_and_not_as_a_manual_counts_them() -> None:
    place = catalogue().profile("schneider-iem3155").points_of((Quantity.ENERGY_FORWARD,))[0].place

    assert isinstance(place, RegisterPlace)
    assert place.register == 3204 - 1


def radio(profile: Profile, address: str) -> tuple[MessageBook, DeviceConfig]:
    device = DeviceConfig(
        meter_id=MeterId(UUID(int=1)),
        serial="S1",
        wire="w1",
        profile=profile.model,
        address=address,
        resource=Resource.WATER,
        points=(Quantity.VOLUME,),
    )
    book = MessageBook(WireStats())
    book.add(device, profile)
    return book, device


def uplink(**changes: object) -> bytes:
    content: dict[str, object] = {
        "deduplicationId": "d1",
        "time": "2026-02-03T04:00:00.123456789+00:00",
        "deviceInfo": {"devEui": "0101010101010101"},
        "fPort": 1,
        "data": base64.b64encode(b"\x10\0\0\0").decode(),
    }
    return json.dumps({key: item for key, item in {**content, **changes}.items() if item is not None}).encode()


@pytest.mark.parametrize(
    ("changes", "read"),
    [
        pytest.param({}, True, id="nanoseconds and an offset"),
        pytest.param({"time": None}, True, id="no time"),
        pytest.param({"deviceInfo": None, "devEUI": "AQEBAQEBAQE="}, False, id="the names of version 3"),
        pytest.param({"data": None}, False, id="no payload"),
        pytest.param({"deviceInfo": {"devEui": "0101010101010101".upper()}}, True, id="capital letters"),
    ],
)
def test_an_uplink_is_read_only_in_the_form_that_names_its_device(changes: dict[str, object], read: bool) -> None:  # noqa: FBT001 - a column
    book, device = radio(catalogue().profile("chirpstack-litres-u32"), "0101010101010101")
    topic = "application/1/device/0101010101010101/event/up"

    book.take(Heard(topic=topic, payload=uplink(**changes), retained=False, at=NOON + timedelta(seconds=5)))

    assert bool(book.outcome(device, NOON + timedelta(seconds=5)).points) is read


@pytest.mark.parametrize(("model", "path"), [("shelly-pro-3em", "total_act"), ("shelly-em1", "total_act_energy")])
def test_shelly_counts_watt_hours_and_its_power_is_no_energy(model: str, path: str) -> None:
    point = catalogue().profile(model).points_of((Quantity.ENERGY_FORWARD,))[0]

    assert getattr(point.place, "path", ()) == (path,)
    assert point.scale == Fraction(1, 1000)


def test_a_pulse_counter_is_taken_to_its_last_count_before_it_begins_again() -> None:
    profile = catalogue().profile("advantech-adam-6050-input-0")

    assert value(profile, Quantity.VOLUME, b"\xff\xff\xff\xff") == Fraction("4294967.295")
    assert value(profile, Quantity.VOLUME, bytes(4)) == 0
