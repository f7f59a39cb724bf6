"""UHPPOTE (微耕) door boards: 64-byte messages over UDP 60000, `17` and the function first, integers low first. Pure.

There is no authentication in the protocol: such boards stand in a network of their own. Dates are BCD; a door's right
is 0 none, 1 always, 2 to 254 a time profile of the board. The fields of an event lie as in uhppoted/uhppote-core.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum
from ipaddress import IPv4Address

from common.errors import RefusalError
from edge.protocol.values import bcd_low_first

START = 0x17
LENGTH = 64
DOORS = 4
_PROFILE_MOST = 254
_PIN_MOST = 999_999
_U32_MOST = 2**32 - 1


class Function(IntEnum):
    """The functions that are used."""

    STATUS = 0x20
    OPEN_DOOR = 0x40
    PUT_CARD = 0x50
    DELETE_CARD = 0x52
    SET_LISTENER = 0x90


class Why(IntEnum):
    """Reasons of an event that the gateway tells apart; others are kept as numbers."""

    SWIPE = 1
    NO_RIGHT = 6
    EXPIRED = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardCard:
    """A card as a board keeps it."""

    card: int
    valid_from: date
    valid_to: date
    doors: Mapping[int, int] = field(default_factory=dict)
    pin: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardEvent:
    """The newest event in a status message: its number, the door and the card, and whether the board let it in."""

    controller: int
    index: int
    granted: bool
    door: int
    card: int
    at: datetime | None
    reason: int


def message(function: Function, controller: int, body: bytes = b"") -> bytes:
    """Return a message for a board."""
    return bytes([START, function, 0, 0]) + controller.to_bytes(4, "little") + body.ljust(LENGTH - 8, b"\x00")


def open_door(controller: int, door: int) -> bytes:
    """Return the message that opens a door."""
    return message(Function.OPEN_DOOR, controller, bytes([door]))


def put_card(controller: int, card: BoardCard) -> bytes:
    """Return the message that gives a card its doors."""
    rights = bytes(card.doors.get(door, 0) for door in range(1, DOORS + 1))
    body = card.card.to_bytes(4, "little") + _bcd_date(card.valid_from) + _bcd_date(card.valid_to) + rights
    return message(Function.PUT_CARD, controller, body + card.pin.to_bytes(3, "little"))


def delete_card(controller: int, card: int) -> bytes:
    """Return the message that takes a card out of a board."""
    return message(Function.DELETE_CARD, controller, card.to_bytes(4, "little"))


def set_listener(controller: int, address: str, port: int, auto_send_s: int) -> bytes:
    """Return the message that tells a board where to send its events."""
    return message(
        Function.SET_LISTENER,
        controller,
        IPv4Address(address).packed + port.to_bytes(2, "little") + bytes([auto_send_s]),
    )


def controller_of(data: bytes) -> tuple[int, int]:
    """Return function and board of a message.

    Raises:
        RefusalError: it is none.
    """
    if len(data) != LENGTH or data[0] != START:
        raise RefusalError(f"{len(data)} bytes are no message of a door board; look at what sends to this port")
    return data[1], int.from_bytes(data[4:8], "little")


def answered(data: bytes) -> bool:
    """Return whether an answer to a command says yes."""
    return data[8] == 1


def parse_event(data: bytes) -> BoardEvent:
    """Return the event of a status message or of an event that a board sent by itself.

    Raises:
        RefusalError: it is neither.
    """
    function, controller = controller_of(data)
    if function != Function.STATUS:
        raise RefusalError(f"function {function:02x} of a door board is no event")
    return BoardEvent(
        controller=controller,
        index=int.from_bytes(data[8:12], "little"),
        granted=data[13] == 1,
        door=data[14],
        card=int.from_bytes(data[16:20], "little"),
        at=_bcd_instant(data[20:27]),
        reason=data[27],
    )


def describe_uhppote(data: bytes) -> dict[str, object]:
    """Return what a message says.

    Raises:
        RefusalError: it is none, or a field of it cannot be.
    """
    function, controller = controller_of(data)
    described: dict[str, object] = {"function": f"{function:02x}", "controller": controller}
    match function:
        case Function.PUT_CARD if data[12] != 0:
            return described | _describe_card(data)
        case Function.OPEN_DOOR:
            return described | {"meaning": "open door", "door": data[8]}
        case Function.DELETE_CARD:
            return described | {"meaning": "delete card", "card": int.from_bytes(data[8:12], "little")}
        case Function.STATUS:
            return described | {"meaning": "status"} | (_describe_event(data) if any(data[8:]) else {})
        case Function.SET_LISTENER:
            address, port = IPv4Address(data[8:12]), int.from_bytes(data[12:14], "little")
            return described | {
                "meaning": "set event listener",
                "listener": f"{address}:{port}",
                "auto_send_s": data[14],
            }
        case _:
            return described | {"data": data[8:].rstrip(b"\x00").hex()}


def _describe_card(data: bytes) -> dict[str, object]:
    pin = int.from_bytes(data[24:27], "little")
    if pin > _PIN_MOST:
        raise RefusalError(f"a PIN of {pin} has more than six digits")
    return {
        "meaning": "put card",
        "card": int.from_bytes(data[8:12], "little"),
        "valid_from": _date(data[12:16]).isoformat(),
        "valid_to": _date(data[16:20]).isoformat(),
        "doors": {str(door): data[19 + door] for door in range(1, DOORS + 1)},
        "pin": pin,
    }


def _describe_event(data: bytes) -> dict[str, object]:
    event = parse_event(data)
    return {
        "event_index": event.index,
        "granted": event.granted,
        "door": event.door,
        "card": event.card,
        "time": None if event.at is None else event.at.isoformat(),
        "reason": event.reason,
    }


def _bcd_date(day: date) -> bytes:
    return bytes.fromhex(f"{day:%Y%m%d}")


def _date(data: bytes) -> date:
    digits = f"{bcd_low_first(data[::-1]):08d}"
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError as problem:
        raise RefusalError(f"{digits} is no date") from problem


def _bcd_instant(data: bytes) -> datetime | None:
    """Return the board's own local time, None when it has none."""
    try:
        return datetime.strptime(data.hex(), "%Y%m%d%H%M%S")  # noqa: DTZ007 - boards know no zone
    except ValueError:
        return None
