"""Plate cameras: the maker's documented messages, records stored offline, and hostile payloads."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from common.errors import RefusalError
from edge.driver.gate_events import PlateColour
from edge.driver.zhenshi import PAYLOAD_BYTES_MOST, open_command, parse_plate_message, parse_reply
from tests.edge.driver.builders import NOON
from tests.simulation.devices.description import Visit
from tests.simulation.devices.gate import plate_record

VECTORS = {
    vector["id"]: vector
    for vector in json.loads(
        (Path(__file__).parents[2] / "conformance" / "camera-vectors.json").read_text(encoding="utf-8")
    )
}
CAMERA = "CAM-1"


def message(**changes: object) -> dict[str, Any]:
    result = {
        "license": base64.b64encode("京A12345".encode()).decode(),
        "plateid": 5,
        "colorType": 1,
        "confidence": 90,
        "isoffline": 0,
        "type": 1,
        "timeStamp": {"Timeval": {"sec": int(NOON.timestamp())}},
        **changes,
    }
    return {"id": "m1", "payload": {"AlarmInfoPlate": {"serialno": CAMERA, "result": {"PlateResult": result}}}}


def packed(document: object) -> bytes:
    return json.dumps(document).encode()


def test_a_documented_push_is_read_as_published() -> None:
    decoded = VECTORS["lpr-007"]["decoded"]
    body = bytes.fromhex(VECTORS["lpr-007"]["hex"])

    event = parse_plate_message(body, "fe71e106-57263272", "utf8")

    assert (event.plate, event.colour) == (decoded["plate"], PlateColour(decoded["plate_color"]))
    assert event.confidence == decoded["confidence"]
    assert event.seen_at == datetime.fromtimestamp(decoded["time_unix"], UTC)
    assert event.stored_offline is decoded["offline"]
    assert event.event_key == "fe71e106-57263272:21085:1686299994"
    assert event.raw == body


def test_a_documented_push_without_a_plate_has_none() -> None:
    vector = VECTORS["lpr-006"]

    event = parse_plate_message(bytes.fromhex(vector["hex"]), vector["decoded"]["serial"], "utf8")

    assert event.plate is None


def test_the_documented_base64_plate_is_decoded() -> None:
    vector = VECTORS["lpr-001"]

    event = parse_plate_message(packed(message(license=vector["text"])), CAMERA, "base64")

    assert event.plate == vector["decoded"]["plate"]


@pytest.mark.parametrize("text", ["", "_无_", "无车牌", "车牌", "000000"])
def test_every_sign_for_no_plate_is_no_plate(text: str) -> None:
    plate = base64.b64encode(text.encode()).decode()

    assert parse_plate_message(packed(message(license=plate)), CAMERA, "base64").plate is None
    assert parse_plate_message(packed(message(type=31)), CAMERA, "base64").plate is None


def test_a_record_stored_while_cut_off_says_so_and_keeps_its_own_time() -> None:
    event = parse_plate_message(packed(message(isoffline=1)), CAMERA, "base64")

    assert event.stored_offline
    assert event.seen_at == NOON


def test_a_repeated_record_has_the_same_key_and_another_car_has_not() -> None:
    keys = [parse_plate_message(packed(message(plateid=n)), CAMERA, "base64").event_key for n in (5, 5, 6)]

    assert keys[0] == keys[1] != keys[2]


def test_pictures_are_cut_out_of_the_kept_bytes() -> None:
    picture = "A" * 200_000
    event = parse_plate_message(packed(message(imageFile=picture)), CAMERA, "base64")

    assert len(event.raw) < 1_000
    assert event.plate == "京A12345"


def test_the_zero_byte_that_some_firmware_puts_in_front_is_no_fault() -> None:
    assert parse_plate_message(b"\0" + packed(message()), CAMERA, "base64").plate == "京A12345"


def test_the_report_may_lie_one_level_deeper() -> None:
    deeper = message()
    deeper["payload"] = {"type": "ivs_result", "body": deeper["payload"]}

    assert parse_plate_message(packed(deeper), CAMERA, "base64").plate == "京A12345"


HOSTILE: dict[str, tuple[bytes, str]] = {
    "oversize": (b" " * (PAYLOAD_BYTES_MOST + 1), "oversize"),
    "no JSON": (b"{", "no JSON"),
    "a number": (b"7", "no JSON object"),
    "endless nesting": (b"[" * 100_000, "no JSON"),
    "nothing inside": (b"{}", "lacks AlarmInfoPlate"),
    "no result": (packed({"AlarmInfoPlate": {}}), "lacks result"),
    "no time": (packed(message(timeStamp={"Timeval": {}})), "lacks its time"),
    "a time beyond the calendar": (packed(message(timeStamp={"Timeval": {"sec": 10**18}})), "impossible time"),
    "a plate that is not base64": (packed(message(license="京A12345")), "not base64"),
    "a plate that is a novel": (packed(message(license=base64.b64encode(b"A" * 99).decode())), "99 characters"),
    "another camera's serial": (packed(message()).replace(b"CAM-1", b"CAM-2"), "came on the topic"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_or_foreign_message_is_refused_with_the_reason(name: str) -> None:
    payload, reason = HOSTILE[name]

    with pytest.raises(RefusalError, match=reason):
        parse_plate_message(payload, CAMERA, "base64")


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("confidence beyond all bounds", lambda: message(confidence=10**9)),
        ("a colour nobody lists", lambda: message(colorType=99)),
        ("colour in words", lambda: message(colorType="blue")),
    ],
)
def test_odd_side_facts_do_not_lose_the_event(what: str, change: Callable[[], dict[str, Any]]) -> None:
    event = parse_plate_message(packed(change()), CAMERA, "base64")

    assert event.plate == "京A12345", what
    assert 0 <= event.confidence <= 100


def test_the_open_command_pulses_the_output_and_carries_its_key() -> None:
    command = json.loads(open_command("BAR-1", "k-1", (0, 2, 1000), NOON))

    assert command["payload"] == {"type": "gpio_out", "body": {"io": 0, "value": 2, "delay": 1000}}
    assert (command["id"], command["sn"]) == ("k-1", "BAR-1")


def test_a_reply_says_whether_the_command_was_accepted() -> None:
    assert parse_reply(b'{"id":"k-1","code":200}') == ("k-1", True)
    assert parse_reply(b'{"id":"k-1","code":400}') == ("k-1", False)
    with pytest.raises(RefusalError, match="lacks id or code"):
        parse_reply(b'{"id":7}')


def test_the_simulated_camera_speaks_the_same_language() -> None:
    visit = Visit(camera=CAMERA, plate="粤B88888", at=NOON, number=9, stored_offline=True)

    event = parse_plate_message(plate_record(visit), CAMERA, "base64")

    assert (event.plate, event.seen_at, event.stored_offline) == ("粤B88888", NOON, True)
