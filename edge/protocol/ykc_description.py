"""YKC frames in words: logins, heartbeats, real-time data, starts, records. Values are decimal text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta, timezone

from common.errors import RefusalError
from edge.protocol import ykc
from edge.protocol.ykc import TARIFFS, YkcFrame, bcd_text

_CHINA = timezone(timedelta(hours=8))
_NETWORKS = ("SIM", "LAN", "WAN", "other")
_STATES = ("offline", "fault", "idle", "charging")
_HOMED = ("no", "yes", "unknown")
_HEARTBEAT_STATES = ("normal", "fault")
_MEANINGS = {
    ykc.LOGIN: "pile login",
    ykc.LOGIN_ANSWER: "login answer",
    ykc.HEARTBEAT: "heartbeat",
    ykc.HEARTBEAT_ANSWER: "heartbeat answer",
    ykc.PRICE_CHECK: "price model check",
    ykc.PRICE_CHECK_ANSWER: "price model check answer",
    0x09: "price model request",
    0x0A: "price model",
    0x12: "read real-time data",
    ykc.REAL_TIME: "real-time data",
    ykc.START_ASKED: "start asked at the pile",
    ykc.START_ANSWER: "start decision",
    ykc.REMOTE_START_ANSWER: "remote start answer",
    ykc.REMOTE_START: "remote start",
    ykc.REMOTE_STOP_ANSWER: "remote stop answer",
    ykc.REMOTE_STOP: "remote stop",
    ykc.RECORD: "transaction record",
    ykc.RECORD_ANSWER: "transaction record confirmed",
    0x41: "balance update answer",
    0x42: "balance update",
    ykc.CLOCK_ANSWER: "set clock answer (CP56Time2a)",
    ykc.SET_CLOCK: "set clock (CP56Time2a)",
}


def describe_ykc(data: bytes) -> dict[str, object]:
    """Return what a frame says.

    Raises:
        RefusalError: it is none, damaged, encrypted, or too short for its type.
    """
    frame = ykc.parse_frame(data)
    described: dict[str, object] = {
        "frame_type": f"{frame.kind:02x}",
        "sequence": f"{frame.sequence:04x}",
        "encrypted": False,
        "crc_order": "high byte first" if frame.crc_high_first else "low byte first",
        "length_ok": True,
    }
    if frame.kind in _MEANINGS:
        described["meaning"] = _MEANINGS[frame.kind]
    tell = _TELL.get(frame.kind)
    if tell is None:
        return described | {"data": frame.body.hex()}
    try:
        return described | tell(frame)
    except IndexError as problem:
        raise RefusalError(f"a frame of type {frame.kind:02x} with {len(frame.body)} bytes is too short") from problem


def _login(frame: YkcFrame) -> dict[str, object]:
    body = frame.body
    version = body[9]
    return {
        "pile": bcd_text(body[:7]),
        "pile_type": "AC" if body[7] else "DC",
        "guns": body[8],
        "protocol": f"{version // 10}.{version % 10}",
        "firmware": body[10:18].rstrip(b"\x00").decode("ascii", errors="replace"),
        "network": _NETWORKS[min(body[18], 3)],
        "sim": body[19:29].hex(),
        "operator": f"{body[29]:02x}",
    }


def _answer(frame: YkcFrame) -> dict[str, object]:
    return {"pile": bcd_text(frame.body[:7]), "result": "ok" if frame.body[7] == 0 else "refused"}


def _heartbeat(frame: YkcFrame) -> dict[str, object]:
    body = frame.body
    return {"pile": bcd_text(body[:7]), "gun": body[7], "state": _HEARTBEAT_STATES[min(body[8], 1)]}


def _price_check(frame: YkcFrame) -> dict[str, object]:
    return {"pile": bcd_text(frame.body[:7]), "model": frame.body[7:9].hex()}


def _real_time(frame: YkcFrame) -> dict[str, object]:
    body = frame.body
    return {
        "transaction": bcd_text(body[:16]),
        "pile": bcd_text(body[16:23]),
        "gun": body[23],
        "state": _STATES[min(body[24], 3)],
        "gun_homed": _HOMED[min(body[25], 2)],
        "plugged": body[26] == 1,
        "voltage": _decimal(body[27:29], 1),
        "current": _decimal(body[29:31], 1),
        "gun_temp": body[31] - 50,
        "soc": body[40],
        "battery_temp": body[41] - 50,
        "minutes_charged": _number(body[42:44]),
        "minutes_left": _number(body[44:46]),
        "energy": _decimal(body[46:50], 4),
        "energy_with_loss": _decimal(body[50:54], 4),
        "amount": _decimal(body[54:58], 4),
        "faults": f"{_number(body[58:60]):04x}",
    }


def _remote_start(frame: YkcFrame) -> dict[str, object]:
    body = frame.body
    return {
        "transaction": bcd_text(body[:16]),
        "pile": bcd_text(body[16:23]),
        "gun": body[23],
        "logical_card": body[24:32].hex(),
        "physical_card": body[32:40].hex(),
        "balance": _decimal(body[40:44], 2),
    }


def _remote_start_answer(frame: YkcFrame) -> dict[str, object]:
    body = frame.body
    return {
        "transaction": bcd_text(body[:16]),
        "pile": bcd_text(body[16:23]),
        "gun": body[23],
        "result": "ok" if body[24] == 1 else "refused",
        "reason": f"{body[25]:02x}",
    }


def _remote_stop(frame: YkcFrame) -> dict[str, object]:
    return {"pile": bcd_text(frame.body[:7]), "gun": frame.body[7]}


def _remote_stop_answer(frame: YkcFrame) -> dict[str, object]:
    body = frame.body
    return _remote_stop(frame) | {"result": "ok" if body[8] == 1 else "refused", "reason": f"{body[9]:02x}"}


def _record(frame: YkcFrame) -> dict[str, object]:
    record = ykc.parse_record(frame.body)
    return {
        "transaction": record.transaction,
        "pile": record.pile,
        "gun": record.gun,
        "start": record.start.astimezone(_CHINA).replace(tzinfo=None).isoformat(),
        "end": record.end.astimezone(_CHINA).replace(tzinfo=None).isoformat(),
        "tariffs": [
            {
                "tariff": name,
                "price": scaled(part.price, 5),
                "energy": scaled(part.energy, 4),
                "energy_with_loss": scaled(part.energy_with_loss, 4),
                "amount": scaled(part.amount, 4),
            }
            for name, part in zip(TARIFFS, record.parts, strict=True)
        ],
        "meter_start": scaled(record.meter_start, 4),
        "meter_end": scaled(record.meter_end, 4),
        "energy": scaled(record.energy, 4),
        "energy_with_loss": scaled(record.energy_with_loss, 4),
        "amount": scaled(record.amount, 4),
        "started_by": f"{record.started_by:02x}",
        "trade_time": record.trade_time.astimezone(_CHINA).replace(tzinfo=None).isoformat(),
        "stop_reason": f"{record.stop_reason:02x}",
        "card": record.card,
    }


def _record_answer(frame: YkcFrame) -> dict[str, object]:
    stored = frame.body[16] == 0
    return {"transaction": bcd_text(frame.body[:16]), "result": "stored" if stored else "refused"}


def _clock(frame: YkcFrame) -> dict[str, object]:
    local = ykc.parse_time(frame.body[7:14]).astimezone(_CHINA).replace(tzinfo=None)
    return {"pile": bcd_text(frame.body[:7]), "time": local.isoformat()}


def scaled(number: int, decimals: int) -> str:
    """Return a whole number of small units as decimal text."""
    whole, fraction = divmod(number, 10**decimals)
    return f"{whole}.{fraction:0{decimals}d}"


def _decimal(data: bytes, decimals: int) -> str:
    return scaled(_number(data), decimals)


def _number(data: bytes) -> int:
    if not data:
        raise IndexError
    return int.from_bytes(data, "little")


_TELL: Mapping[int, Callable[[YkcFrame], dict[str, object]]] = {
    ykc.LOGIN: _login,
    ykc.LOGIN_ANSWER: _answer,
    ykc.HEARTBEAT: _heartbeat,
    ykc.HEARTBEAT_ANSWER: _heartbeat,
    ykc.PRICE_CHECK: _price_check,
    ykc.REAL_TIME: _real_time,
    ykc.REMOTE_START: _remote_start,
    ykc.REMOTE_START_ANSWER: _remote_start_answer,
    ykc.REMOTE_STOP: _remote_stop,
    ykc.REMOTE_STOP_ANSWER: _remote_stop_answer,
    ykc.RECORD: _record,
    ykc.RECORD_ANSWER: _record_answer,
    ykc.SET_CLOCK: _clock,
    ykc.CLOCK_ANSWER: _clock,
}
