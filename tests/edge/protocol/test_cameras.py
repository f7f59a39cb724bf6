"""Camera bodies: read as their makers write them, bounded, and hostile ones refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from common.errors import RefusalError
from edge.protocol.cameras import (
    BODY_BYTES_MOST,
    huaxia_answer,
    parse_dahua,
    parse_hikvision,
    parse_zhenshi_push,
    zhenshi_answer,
)

DAHUA: dict[str, Any] = {
    "Picture": {
        "Plate": {"PlateNumber": "京A12345", "PlateColor": "Blue", "Confidence": 93},
        "SnapInfo": {"DeviceID": "D1", "Direction": "Obverse", "SnapTime": "2026-01-05 08:00:00"},
        "NormalPic": {"PicName": "a.jpg", "Content": "AAAA"},
    }
}


def test_a_dahua_push_is_read_in_chinese_time() -> None:
    report = parse_dahua(json.dumps(DAHUA).encode())
    assert (report.camera, report.plate, report.colour, report.confidence) == ("D1", "京A12345", "blue", 93)
    assert report.at == datetime(2026, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "space", ["http://www.isapi.org/ver20/XMLSchema", "http://www.hikvision.com/ver20/XMLSchema", ""]
)
def test_a_hikvision_event_is_read_whatever_its_namespace(space: str) -> None:
    xml = (
        f'<EventNotificationAlert xmlns="{space}"><ipAddress>192.0.2.4</ipAddress>'
        "<dateTime>2026-07-05T20:44:40+01:00</dateTime><eventType>ANPR</eventType>"
        "<ANPR><licensePlate>蓝京A12345</licensePlate><vehileModel>1</vehileModel></ANPR></EventNotificationAlert>"
    )
    report = parse_hikvision(xml.encode())
    assert (report.camera, report.plate) == ("192.0.2.4", "京A12345")
    assert report.at == datetime(2026, 7, 5, 19, 44, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE a [<!ENTITY x "y">]><EventNotificationAlert>&x;</EventNotificationAlert>',
        b"<EventNotificationAlert><eventType>VMD</eventType></EventNotificationAlert>",
        b"<EventNotificationAlert>",
        b"x" * (BODY_BYTES_MOST + 1),
    ],
)
def test_a_hostile_or_other_xml_is_refused_with_a_remedy(body: bytes) -> None:
    with pytest.raises(RefusalError, match=r"check|switch"):
        parse_hikvision(body)


@pytest.mark.parametrize("plate", ["京" * 13, "京" * 100_000])
def test_a_plate_of_absurd_length_is_refused(plate: str) -> None:
    broken = json.loads(json.dumps(DAHUA))
    broken["Picture"]["Plate"]["PlateNumber"] = plate
    with pytest.raises(RefusalError, match="check what sends"):
        parse_dahua(json.dumps(broken).encode())


def test_an_answer_opens_by_exactly_ok_and_stops_repetition() -> None:
    opened = json.loads(zhenshi_answer(opens=True, frames=[b"\x00\x64"], more_offline="7"))["Response_AlarmInfoPlate"]
    assert (opened["info"], opened["content"]) == ("ok", "retransfer_stop")
    assert opened["serialData"] == [{"serialChannel": 0, "data": "AGQ=", "dataLen": 2}]
    assert opened["ContinuePushOffline"] == {"plateid": "7", "continue": 1}
    assert json.loads(zhenshi_answer(opens=False))["Response_AlarmInfoPlate"]["info"] == "no"
    assert json.loads(huaxia_answer(opens=False))["gpio_data"] == []


def test_a_push_without_its_time_is_refused() -> None:
    body = {"AlarmInfoPlate": {"result": {"PlateResult": {"license": "京A12345", "timeStamp": {"Timeval": {}}}}}}
    with pytest.raises(RefusalError, match="clock"):
        parse_zhenshi_push(json.dumps(body).encode())
