"""Plate cameras of the Zhenshi family over MQTT: their JSON to events, and an open command to JSON. Pure.

The plate is base64 of UTF-8 on MQTT and plain on HTTP; no plate is told by a sign of its own; a record stored while
the camera was cut off says so. Pictures are cut out of the kept bytes: they are large, and a face is personal.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from common.errors import RefusalError
from edge.driver.gate_events import PlateColour, PlateSeen
from edge.driver.plate_text import checked_plate

PAYLOAD_BYTES_MOST = 4_000_000
PICTURE_KEYS = frozenset({"imageFile", "imageFragmentFile"})
NO_PLATE_TYPE = 31
ACKNOWLEDGED = 200
_COLOURS = (
    PlateColour.UNKNOWN,
    PlateColour.BLUE,
    PlateColour.YELLOW,
    PlateColour.WHITE,
    PlateColour.BLACK,
    PlateColour.GREEN,
    PlateColour.YELLOW_GREEN,
)
_PERCENT = 100


def parse_plate_message(payload: bytes, camera: str, plate_encoding: str) -> PlateSeen:
    """Return the event of one message of a camera.

    Raises:
        RefusalError: the message is oversize, no JSON, or lacks what an event needs.
    """
    envelope = _json(payload)
    report = _find_report(envelope)
    result = _map(_map(report, "result"), "PlateResult")
    seen_at = _seen_at(result)
    serial = report.get("serialno")
    if isinstance(serial, str) and serial != camera:
        raise RefusalError(f"a message of camera {serial} came on the topic of {camera}; check the camera's settings")
    colour = _whole(result, "colorType")
    return PlateSeen(
        camera=camera,
        event_key=f"{camera}:{_event_number(result, envelope)}:{int(seen_at.timestamp())}",
        plate=_plate(result, plate_encoding),
        colour=_COLOURS[colour] if 0 <= colour < len(_COLOURS) else PlateColour.UNKNOWN,
        confidence=max(0, min(_whole(result, "confidence"), _PERCENT)),
        seen_at=seen_at,
        stored_offline=_whole(result, "isoffline") != 0,
        raw=_without_pictures(payload, envelope),
    )


def open_command(camera: str, command_key: str, output: tuple[int, int, int], sent_at: datetime) -> bytes:
    """Return the message that pulses an output; `output` is its number, value and duration in milliseconds."""
    number, value, milliseconds = output
    body = {"io": number, "value": value, "delay": milliseconds}
    message = {
        "id": command_key,
        "sn": camera,
        "name": "gpio_out",
        "version": "1.0",
        "timestamp": int(sent_at.timestamp()),
        "payload": {"type": "gpio_out", "body": body},
    }
    return json.dumps(message, separators=(",", ":")).encode()


def serial_command(camera: str, command_key: str, frames: Iterable[bytes], sent_at: datetime) -> bytes:
    """Return the message that hands frames to the board behind a camera."""
    body = [{"serialChannel": 0, "data": base64.b64encode(frame).decode(), "dataLen": len(frame)} for frame in frames]
    message = {
        "id": f"{command_key}-sign",
        "sn": camera,
        "name": "serial_data",
        "version": "1.0",
        "timestamp": int(sent_at.timestamp()),
        "payload": {"type": "serial_data", "body": {"serialData": body}},
    }
    return json.dumps(message, separators=(",", ":")).encode()


def parse_reply(payload: bytes) -> tuple[str, bool]:
    """Return the key of the command a reply belongs to, and whether the camera accepted it.

    Raises:
        RefusalError: the message is no reply.
    """
    reply = _json(payload)
    key, code = reply.get("id"), reply.get("code")
    if not isinstance(key, str) or not isinstance(code, int):
        raise RefusalError("a camera's reply lacks id or code; check its firmware's MQTT version")
    return key, code == ACKNOWLEDGED


def _json(payload: bytes) -> Mapping[str, object]:
    if len(payload) > PAYLOAD_BYTES_MOST:
        raise RefusalError(f"a camera message of {len(payload)} bytes is oversize; switch pictures off in the camera")
    try:
        message = json.loads(payload.lstrip(b"\x00"))  # some firmware puts a zero byte in front
    except (ValueError, RecursionError) as problem:
        raise RefusalError(f"a camera message is no JSON ({problem}); check what sends on this topic") from problem
    if not isinstance(message, dict):
        raise RefusalError("a camera message is no JSON object; check what sends on this topic")
    return message


def _find_report(envelope: Mapping[str, object]) -> Mapping[str, object]:
    """Return the plate report, which firmware versions put at different depths."""
    level: object = envelope
    for key in ("payload", "body"):
        if isinstance(level, dict) and "AlarmInfoPlate" not in level and key in level:
            level = level[key]
    return _map(level if isinstance(level, dict) else {}, "AlarmInfoPlate")


def _map(parent: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = parent.get(key)
    if not isinstance(value, dict):
        raise RefusalError(f"a camera message lacks {key}; check its firmware's MQTT version")
    return value


def _whole(parent: Mapping[str, object], key: str) -> int:
    value = parent.get(key)
    return value if isinstance(value, int) else 0


def _event_number(result: Mapping[str, object], envelope: Mapping[str, object]) -> str:
    number = result.get("plateid", envelope.get("id", ""))
    return str(number) if isinstance(number, int | str) else ""


def _seen_at(result: Mapping[str, object]) -> datetime:
    seconds = _map(_map(result, "timeStamp"), "Timeval").get("sec")
    if not isinstance(seconds, int):
        raise RefusalError("a camera message lacks its time; set the camera's clock")
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as problem:
        raise RefusalError(f"a camera message states the impossible time {seconds}") from problem


def _plate(result: Mapping[str, object], plate_encoding: str) -> str | None:
    text = result.get("license")
    if not isinstance(text, str) or _whole(result, "type") == NO_PLATE_TYPE:
        return None
    if plate_encoding == "base64":
        try:
            text = base64.b64decode(text, validate=True).decode()
        except ValueError as problem:
            raise RefusalError("a plate is not base64 of UTF-8; set the profile's plate_encoding") from problem
    return checked_plate(text)


def _without_pictures(payload: bytes, envelope: Mapping[str, object]) -> bytes:
    if not any(key.encode() in payload for key in PICTURE_KEYS):
        return payload
    return json.dumps(_cut(envelope), ensure_ascii=False, separators=(",", ":")).encode()


def _cut(value: object) -> object:
    if isinstance(value, dict):
        return {key: _cut(inner) for key, inner in value.items() if key not in PICTURE_KEYS}
    if isinstance(value, list):
        return [_cut(inner) for inner in value]
    return value
