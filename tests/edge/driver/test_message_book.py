"""What meters that speak unasked have said: pieces, repeats, late, retained, foreign and hostile messages."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest

from common.errors import RefusalError
from common.reading.reading import Quantity
from edge.driver.message_book import Heard, MessageBook, matches
from edge.driver.outcome import DeviceConfig, FailureKind, ReadOutcome, WireStats
from tests.edge.driver.builders import NOON, catalogue, device
from tests.edge.driver.message_models import PLUG, RADIO, model

ENERGY_AND_POWER = (Quantity.ENERGY_FORWARD, Quantity.POWER)
PLUG_DEVICE = device(1, "plug", "plug-1", *ENERGY_AND_POWER)
RADIO_DEVICE = device(2, "radio", "0101010101010101", Quantity.VOLUME)
TELE = "tele/plug-1/SENSOR"
UP = "application/7/device/0101010101010101/event/up"


class Room:
    """A book with a plug and a radio meter, and a way to speak to it."""

    def __init__(self) -> None:
        self.stats = WireStats()
        self.book = MessageBook(self.stats)
        self.book.add(PLUG_DEVICE, model("plug", PLUG))
        self.book.add(RADIO_DEVICE, model("radio", RADIO))

    def say(self, topic: str, text: str, *, after_s: int = 0, retained: bool = False) -> None:
        at = NOON + timedelta(seconds=after_s)
        self.book.take(Heard(topic=topic, payload=text.encode(), retained=retained, at=at))

    def uplink(self, payload: bytes, *, key: str = "k1", time: str = "2026-02-03T04:00:00Z", **more: object) -> None:
        content = {
            "deduplicationId": key,
            "time": time,
            "deviceInfo": {"devEui": "0101010101010101"},
            "fPort": 1,
            "data": base64.b64encode(payload).decode(),
        }
        retained = bool(more.pop("retained", False))
        self.say(UP, json.dumps(content | more), retained=retained)

    def read(self, one: DeviceConfig, after_s: int = 0) -> ReadOutcome:
        return self.book.outcome(one, NOON + timedelta(seconds=after_s))

    def values(self, one: DeviceConfig, after_s: int = 0) -> dict[str, int]:
        return {str(point.quantity): point.value_milli for point in self.read(one, after_s).points}


def test_a_message_gives_the_points_that_its_model_maps() -> None:
    room = Room()
    room.say(TELE, '{"Time":"2026-02-03T12:00:00","ENERGY":{"Total":514.153,"Power":[56,0,0]}}')

    assert room.values(PLUG_DEVICE) == {"energy_forward": 514_153, "power": 56}
    assert room.read(PLUG_DEVICE).failures == ()


def test_the_message_itself_is_the_evidence_behind_a_value() -> None:
    room = Room()
    room.say(TELE, '{"Time":"t","ENERGY":{"Total":1}}')

    (value,) = room.read(PLUG_DEVICE).points
    assert value.raw == b"1"
    assert value.exchange.request == TELE.encode()
    assert value.exchange.response == b'{"Time":"t","ENERGY":{"Total":1}}'


def test_a_reading_may_come_in_pieces() -> None:
    room = Room()
    room.say(TELE, '{"Time":"a","ENERGY":{"Total":7}}')
    room.say(TELE, '{"Time":"b","ENERGY":{"Power":250}}', after_s=5)

    assert room.values(PLUG_DEVICE) == {"energy_forward": 7_000, "power": 250}


def test_a_value_is_given_as_long_as_its_model_says_and_not_longer() -> None:
    room = Room()
    room.say(TELE, '{"Time":"a","ENERGY":{"Total":7}}')

    assert room.values(PLUG_DEVICE, after_s=900) == {"energy_forward": 7_000}
    late = room.read(PLUG_DEVICE, after_s=901)
    assert late.points == ()
    assert late.failures[0].kind is FailureKind.TIMEOUT
    assert "said nothing" in late.failures[0].detail


def test_silence_is_a_failure_and_never_zero() -> None:
    outcome = Room().read(PLUG_DEVICE)

    assert outcome.points == ()
    assert outcome.failures[0].points == ENERGY_AND_POWER


def test_the_same_message_twice_is_one() -> None:
    room = Room()
    room.uplink(b"\x10\x00\x00\x00")
    room.uplink(b"\x20\x00\x00\x00", time="2026-02-03T04:00:01Z")

    assert room.values(RADIO_DEVICE) == {"volume": 16}
    assert room.stats.late_frames == 1


def test_an_older_message_that_comes_late_does_not_take_a_newer_ones_place() -> None:
    room = Room()
    room.uplink(b"\x20\x00\x00\x00", key="new", time="2026-02-03T03:59:00Z")
    room.uplink(b"\x10\x00\x00\x00", key="old", time="2026-02-03T03:00:00Z")

    assert room.values(RADIO_DEVICE) == {"volume": 32}
    assert room.stats.late_frames == 1


def test_a_counter_that_starts_again_is_a_fact_and_not_refused() -> None:
    room = Room()
    room.uplink(b"\x20\x00\x00\x00", key="a", time="2026-02-03T03:58:00Z", fCnt=900)
    room.uplink(b"\x01\x00\x00\x00", key="b", time="2026-02-03T03:59:00Z", fCnt=0)

    assert room.values(RADIO_DEVICE) == {"volume": 1}


def test_a_meter_whose_clock_runs_a_year_ahead_is_dated_by_arrival() -> None:
    room = Room()
    room.uplink(b"\x20\x00\x00\x00", key="a", time="2027-02-03T04:00:00Z")
    room.uplink(b"\x21\x00\x00\x00", key="b", time="2026-02-03T04:00:00Z")

    assert room.values(RADIO_DEVICE) == {"volume": 33}


def test_a_retained_message_without_a_time_has_no_age_and_is_no_reading() -> None:
    room = Room()
    room.say(TELE, '{"Time":"a","ENERGY":{"Total":7}}', retained=True)

    assert room.values(PLUG_DEVICE) == {}


def test_a_retained_message_with_a_time_is_as_old_as_it_says() -> None:
    room = Room()
    room.uplink(b"\x10\x00\x00\x00", time="2026-02-03T03:00:00Z", retained=True)

    assert room.values(RADIO_DEVICE) == {"volume": 16}
    assert room.values(RADIO_DEVICE, after_s=93_600) == {}


def test_a_message_that_names_another_device_inside_is_foreign() -> None:
    room = Room()
    room.uplink(b"\x10\x00\x00\x00", deviceInfo={"devEui": "0202020202020202"})

    assert room.values(RADIO_DEVICE) == {}
    assert room.stats.foreign_frames == 1


def test_another_port_carries_no_reading() -> None:
    room = Room()
    room.uplink(b"\x10\x00\x00\x00", fPort=99)

    assert room.values(RADIO_DEVICE) == {}
    assert room.stats.bad_values == 0


@pytest.mark.parametrize(
    ("payload", "reason"),
    [(b"\x10\x00", "ends before byte 4"), (b"\xff\xff\xff\xff", "not available")],
)
def test_a_payload_that_holds_no_value_is_a_bad_value(payload: bytes, reason: str) -> None:
    room = Room()
    room.uplink(payload)

    failure = room.read(RADIO_DEVICE).failures[0]
    assert failure.kind is FailureKind.BAD_VALUE
    assert reason in failure.detail


@pytest.mark.parametrize(
    "text",
    ["", "on", '{"ENERGY":{"Total":"many"}}', '{"ENERGY":{"Total":1e999}}', '{"a":"' + "x" * 20_000 + '"}', "[" * 9000],
)
def test_a_hostile_message_leaves_the_last_good_value_and_the_other_devices_alone(text: str) -> None:
    room = Room()
    room.say(TELE, '{"Time":"a","ENERGY":{"Total":7,"Power":5}}')
    room.uplink(b"\x10\x00\x00\x00")

    room.say(TELE, text, after_s=1)

    assert room.values(PLUG_DEVICE) == {"energy_forward": 7_000, "power": 5}
    assert room.values(RADIO_DEVICE) == {"volume": 16}
    assert room.stats.bad_values == 1


def test_a_message_about_nobody_is_counted_and_forgotten() -> None:
    room = Room()
    room.say("tele/plug-2/SENSOR", '{"ENERGY":{"Total":7}}')

    assert room.stats.foreign_frames == 1
    assert room.values(PLUG_DEVICE) == {}


def test_a_thousand_messages_leave_no_more_state_than_one() -> None:
    room = Room()
    for n in range(1000):
        room.uplink(n.to_bytes(4, "little"), key=f"k{n}", time=f"2026-02-03T03:{n // 60 % 60:02d}:{n % 60:02d}Z")

    station = room.book._stations[RADIO_DEVICE.meter_id]
    assert len(station.keys) == 64
    assert room.values(RADIO_DEVICE) == {"volume": 999}


@pytest.mark.parametrize(
    ("wanted", "topic", "fits"),
    [
        ("a/+/c", "a/b/c", True),
        ("a/+/c", "a/b/d", False),
        ("a/+", "a/b/c", False),
        ("a/b", "a/b", True),
        ("+/b", "/b", True),
    ],
)
def test_a_plus_stands_for_one_level(wanted: str, topic: str, fits: bool) -> None:  # noqa: FBT001 - a column
    assert matches(wanted, topic) is fits


def test_a_model_that_does_not_speak_mqtt_is_refused_by_name() -> None:
    with pytest.raises(RefusalError, match=r"S1.*does not speak MQTT"):
        MessageBook(WireStats()).add(PLUG_DEVICE, catalogue().profile("eastron-sdm120"))
