"""What plate cameras push over HTTP and what they are answered: Zhenshi, Hikvision, Dahua, Huaxia. Pure.

Bodies are bounded before they are parsed, XML with a document type is refused (no entities, no includes), names are
compared without their namespace, and what is not known is passed over. A picture is never kept.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

from common.errors import RefusalError
from edge.protocol.plates import CHARACTERS_MOST, normalise

BODY_BYTES_MOST = 4_000_000
DEPTH_MOST = 32
NO_PLATE_TYPE = 31
HIKVISION_OPEN_PATH = "/ISAPI/Parking/channels/{channel}/barrierGate"
DAHUA_OPEN_PATH = "/cgi-bin/trafficSnap.cgi?action=openStrobe&channel={channel}&info.openType=Normal"
COLOURS = ("unknown", "blue", "yellow", "white", "black", "green", "yellow_green")
_TRIGGERS = {1: "auto", 2: "input", 4: "software", 8: "virtual loop"}
_TYPES = {14: "Macau plate (14)", 11: "Hong Kong plate (11)", 19: "new energy small (19)", 20: "new energy large (20)"}
_CHINA = timezone(timedelta(hours=8))
_COLOUR_NAMES = {"blue": "blue", "yellow": "yellow", "white": "white", "black": "black", "green": "green"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraReport:
    """One car at a camera; `plate` is None for a car without one, `at` None when the camera tells no time."""

    camera: str
    number: str
    plate: str | None
    colour: str
    confidence: int
    at: datetime | None
    stored_offline: bool = False
    trigger: int = 0
    plate_type: int = 0
    direction: str = ""


def parse_zhenshi_push(data: bytes) -> CameraReport:
    """Return the report of a Zhenshi camera (`AlarmInfoPlate`).

    Raises:
        RefusalError: the body is oversize, no JSON, or lacks what a report needs.
    """
    report = _map(_json(data), "AlarmInfoPlate")
    result = _map(_map(report, "result"), "PlateResult")
    seconds = _map(_map(result, "timeStamp"), "Timeval").get("sec")
    kind, colour = _whole(result, "type"), _whole(result, "colorType")
    text = result.get("license")
    return CameraReport(
        camera=str(report.get("serialno") or ""),
        number=str(result.get("plateid", "")),
        plate=None if kind == NO_PLATE_TYPE or not isinstance(text, str) else checked_plate(text),
        colour=COLOURS[colour] if 0 <= colour < len(COLOURS) else "unknown",
        confidence=_whole(result, "confidence"),
        at=_instant(seconds),
        stored_offline=_whole(result, "isoffline") != 0,
        trigger=_whole(result, "triggerType"),
        plate_type=kind,
    )


def zhenshi_answer(*, opens: bool, frames: Iterable[bytes] = (), more_offline: str | None = None) -> bytes:
    """Return the answer that opens or does not, shows frames on the board, and asks for the next stored record."""
    answer: dict[str, Any] = {"info": "ok" if opens else "no", "content": "retransfer_stop"}
    serial = [{"serialChannel": 0, "data": base64.b64encode(f).decode(), "dataLen": len(f)} for f in frames]
    if serial:
        answer["serialData"] = serial
    if more_offline is not None:
        answer["ContinuePushOffline"] = {"plateid": more_offline, "continue": 1}
    return json.dumps({"Response_AlarmInfoPlate": answer}, separators=(",", ":")).encode()


def parse_hikvision(data: bytes) -> CameraReport:
    """Return the report of a Hikvision ANPR event (`EventNotificationAlert`).

    Raises:
        RefusalError: the body is oversize, no plain XML, or no ANPR event.
    """
    values = _xml(data)
    if values.get("eventType", "").upper() != "ANPR":
        raise RefusalError(f"a camera event of type {values.get('eventType', '')!r} is no plate; switch others off")
    try:
        at = datetime.fromisoformat(values.get("dateTime", "")).astimezone(UTC)
    except ValueError:
        at = None
    confidence = values.get("confidenceLevel", "0")
    return CameraReport(
        camera=values.get("macAddress") or values.get("ipAddress", ""),
        number=values.get("UUID", ""),
        plate=checked_plate(values.get("licensePlate", "")),
        colour=_COLOUR_NAMES.get(values.get("plateColor", "").lower(), "unknown"),
        confidence=int(confidence) if confidence.isascii() and confidence.isdigit() else 0,
        at=at,
        direction=values.get("direction", ""),
    )


def hikvision_open() -> bytes:
    """Return the body of the PUT that opens a barrier."""
    return b'<?xml version="1.0" encoding="UTF-8"?><BarrierGate><ctrlMode>open</ctrlMode></BarrierGate>'


def parse_dahua(data: bytes) -> CameraReport:
    """Return the report of a Dahua push (`/NotificationInfo/TollgateInfo`).

    Raises:
        RefusalError: the body is oversize, no JSON, or lacks what a report needs.
    """
    picture = _map(_json(data), "Picture")
    plate, snap = _map(picture, "Plate"), _map(picture, "SnapInfo")
    text = plate.get("PlateNumber")
    return CameraReport(
        camera=str(snap.get("DeviceID") or ""),
        number=str(snap.get("SnapTime") or snap.get("AccurateTime") or ""),
        plate=checked_plate(text) if isinstance(text, str) else None,
        colour=_COLOUR_NAMES.get(str(plate.get("PlateColor", "")).lower(), "unknown"),
        confidence=_whole(plate, "Confidence"),
        at=_local_instant(snap.get("SnapTime") or snap.get("AccurateTime")),
        direction=str(snap.get("Direction", "")),
    )


def parse_huaxia(data: bytes) -> CameraReport:
    """Return the report of a Huaxia camera in mode 5, form fields.

    Raises:
        RefusalError: the body is oversize, no form, or lacks what a report needs.
    """
    if len(data) > BODY_BYTES_MOST:
        raise RefusalError(f"a camera body of {len(data)} bytes is oversize; switch pictures off in the camera")
    try:
        fields = dict(parse_qsl(data.decode(), max_num_fields=100))
    except ValueError as problem:
        raise RefusalError("a camera body is no form; check what sends to this address") from problem
    if fields.get("type") not in {"online", "offline"} or "plate_num" not in fields:
        raise RefusalError("a camera body tells of no car; check the camera's mode (5)")
    seconds = fields.get("start_time", "")
    return CameraReport(
        camera=fields.get("cam_id", ""),
        number=seconds,
        plate=checked_plate(fields["plate_num"]),
        colour="unknown",
        confidence=0,
        at=_instant(int(seconds) if seconds.isascii() and seconds.isdigit() else None),
        stored_offline=fields["type"] == "offline",
        direction=fields.get("vdc_type", ""),
    )


def huaxia_answer(*, opens: bool) -> bytes:
    """Return the answer of mode 5 that opens output 1 or does nothing."""
    gpio = [{"ionum": "io1", "action": "on"}] if opens else []
    return json.dumps({"error_num": 0, "error_str": "noerror", "gpio_data": gpio}, separators=(",", ":")).encode()


def checked_plate(text: str) -> str | None:
    """Return the plate in a camera's text, None when it says that there is none.

    Raises:
        RefusalError: the text is too long for a plate.
    """
    plate = normalise(text) if len(text) <= 2 * CHARACTERS_MOST else text
    if plate is not None and len(plate) > CHARACTERS_MOST:
        raise RefusalError(f"a plate of {len(plate)} characters is none; check what sends as this camera")
    return plate


def describe_zhenshi_push(data: bytes) -> dict[str, object]:
    """Return what a push says, in the words of the published vectors."""
    report = parse_zhenshi_push(data)
    local = None if report.at is None else report.at.astimezone(_CHINA)
    described: dict[str, object] = {
        "plate": report.plate,
        "no_plate": report.plate is None,
        "plate_color": report.colour,
        "confidence": report.confidence,
        "offline": report.stored_offline,
        "serial": report.camera,
        "trigger": _TRIGGERS.get(report.trigger, str(report.trigger)),
        "plate_type": _TYPES.get(report.plate_type, str(report.plate_type)),
        "time_unix": None if report.at is None else int(report.at.timestamp()),
        "local_time": None if local is None else local.isoformat(),
    }
    return described | ({"plate_id": int(report.number)} if report.number.isdigit() else {})


def describe_zhenshi_answer(data: bytes) -> dict[str, object]:
    """Return whether an answer opens the gate: its `info` is exactly "ok"."""
    return {"opens_gate": _map(_json(data), "Response_AlarmInfoPlate").get("info") == "ok"}


def describe_base64_plate(data: bytes) -> dict[str, object]:
    """Return the plate of an MQTT message, base64 of UTF-8."""
    return {"plate": checked_plate(_base64_text(data)), "encoding": "base64 of UTF-8"}


def describe_base64_text(data: bytes) -> dict[str, object]:
    """Return the words of a voice command, base64 of UTF-8."""
    return {"text": _base64_text(data), "encoding": "base64 of UTF-8"}


def describe_hikvision(data: bytes) -> dict[str, object]:
    """Return what an ANPR event says."""
    values = _xml(data)
    report = parse_hikvision(data)
    sure = [int(part) for part in values.get("plateCharBelieve", "").split(",") if part.strip().isdigit()]
    return {
        "plate": report.plate,
        "confidence": report.confidence,
        "direction": report.direction,
        "list": values.get("vehicleListName", ""),
        "weakest_char_index": sure.index(min(sure)) if sure else None,
    }


def describe_hikvision_command(data: bytes) -> dict[str, object]:
    """Return what a barrier command does and where it goes."""
    mode = _xml(data).get("ctrlMode", "")
    if mode not in {"open", "close", "lock", "unlock"}:
        raise RefusalError(f"a barrier knows no mode {mode!r}")
    path = HIKVISION_OPEN_PATH.format(channel=1)
    return {"method": "PUT", "path": path, "auth": "digest", "opens_gate": mode == "open"}


def describe_huaxia_answer(data: bytes) -> dict[str, object]:
    """Return whether an answer of mode 5 opens the gate."""
    gpio = _json(data).get("gpio_data")
    actions = [one.get("action") for one in gpio if isinstance(one, dict)] if isinstance(gpio, list) else []
    return {"opens_gate": "on" in actions}


def _base64_text(data: bytes) -> str:
    try:
        return base64.b64decode(data.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as problem:
        raise RefusalError("the text is not base64 of UTF-8; set the profile's plate_encoding") from problem


def _json(data: bytes) -> Mapping[str, Any]:
    if len(data) > BODY_BYTES_MOST:
        raise RefusalError(f"a camera body of {len(data)} bytes is oversize; switch pictures off in the camera")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise RefusalError("a camera body is no JSON; check what sends to this address") from problem
    if not isinstance(document, dict):
        raise RefusalError("a camera body is no JSON object; check what sends to this address")
    return document


def _xml(data: bytes) -> dict[str, str]:
    """Return the texts of all elements by local name, the first of each."""
    if len(data) > BODY_BYTES_MOST or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise RefusalError("a camera body is oversize or declares a document type; check what sends to this address")
    try:
        root = ET.fromstring(data)  # noqa: S314 - bounded, and without a document type there are no entities
    except (ET.ParseError, ValueError) as problem:
        raise RefusalError("a camera body is no XML; check what sends to this address") from problem
    values: dict[str, str] = {}
    for element in root.iter():
        values.setdefault(element.tag.rpartition("}")[2], (element.text or "").strip())
    return values


def _map(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    if not isinstance(value, dict):
        raise RefusalError(f"a camera body lacks {key}; check the camera's model and firmware")
    return value


def _whole(parent: Mapping[str, Any], key: str) -> int:
    value = parent.get(key)
    return value if isinstance(value, int) else 0


def _instant(seconds: object) -> datetime:
    if not isinstance(seconds, int):
        raise RefusalError("a camera body lacks its time; set the camera's clock")
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as problem:
        raise RefusalError(f"a camera states the impossible time {seconds}; set its clock") from problem


def _local_instant(text: object) -> datetime | None:
    """Return the instant of a local time in China, None when the text is none."""
    try:
        local = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return (local if local.tzinfo else local.replace(tzinfo=_CHINA)).astimezone(UTC)
