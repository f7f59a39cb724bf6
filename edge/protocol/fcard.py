"""FCARD door boards: frames between 7E, escaped inside, with serial, password, message number, control and a sum. Pure.

    7E · serial 16 ASCII · password 4 · message 4 · control 3 · length 4 (high first) · data · sum · 7E

The sum is the low byte of all bytes before it, the ends left out. 7E inside goes out as 7F 01 and 7F as 7F 02. Opening
a door is control 03 03 00 with a byte for each of four doors, as in the maker's own library
(laijinjie/FCARDIO.Protocol.Door); the control of a board's answer begins with 21.
"""

from __future__ import annotations

from dataclasses import dataclass

from common.errors import RefusalError

_END = 0x7E
_ESCAPE = 0x7F
_SERIAL = 16
_HEAD = _SERIAL + 4 + 4 + 3 + 4
_DATA_MOST = 2_000
READ_SERIAL = bytes.fromhex("010200")
OPEN_DOOR = bytes.fromhex("030300")
DONE = bytes.fromhex("2101")  # how the control of an answer begins that says yes; 2102 is a wrong password
NO_PASSWORD = b"\xff\xff\xff\xff"
_MEANINGS = {READ_SERIAL: "read serial number", OPEN_DOOR: "open door"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FcardFrame:
    """One frame."""

    serial: str
    password: bytes
    number: int
    control: bytes
    data: bytes


def make_frame(frame: FcardFrame) -> bytes:
    """Return the bytes of a frame."""
    body = (
        frame.serial.encode("ascii").ljust(_SERIAL, b"0")[:_SERIAL]
        + frame.password
        + frame.number.to_bytes(4)
        + frame.control
        + len(frame.data).to_bytes(4)
        + frame.data
    )
    return bytes([_END]) + _escaped(body + bytes([sum(body) & 0xFF])) + bytes([_END])


def open_door(serial: str, password: bytes, number: int, door: int) -> bytes:
    """Return the frame that opens a door (1 to 4) of a board."""
    rights = bytes(1 if door == n else 0 for n in range(1, 5))
    return make_frame(FcardFrame(serial=serial, password=password, number=number, control=OPEN_DOOR, data=rights))


def parse_frame(data: bytes) -> FcardFrame:
    """Return the frame in some bytes.

    Raises:
        RefusalError: it is none, or damaged.
    """
    if len(data) < _HEAD or data[0] != _END or data[-1] != _END:
        raise RefusalError("the bytes are no frame of a door board: 7E at both ends is wanted")
    body = _unescaped(data[1:-1])
    length = int.from_bytes(body[_HEAD - 4 : _HEAD])
    if length > _DATA_MOST or len(body) != _HEAD + length + 1:
        raise RefusalError(f"the frame states {length} bytes of data and has {len(body) - _HEAD - 1}")
    if sum(body[:-1]) & 0xFF != body[-1]:
        raise RefusalError("the sum does not hold: a damaged frame")
    try:
        serial = body[:_SERIAL].decode("ascii")
    except UnicodeDecodeError as problem:
        raise RefusalError("the serial number of the board is no text") from problem
    return FcardFrame(
        serial=serial,
        password=body[_SERIAL : _SERIAL + 4],
        number=int.from_bytes(body[_SERIAL + 4 : _SERIAL + 8]),
        control=body[_SERIAL + 8 : _SERIAL + 11],
        data=body[_HEAD:-1],
    )


def describe_fcard(data: bytes) -> dict[str, object]:
    """Return what a frame says.

    Raises:
        RefusalError: it is none, or damaged.
    """
    frame = parse_frame(data)
    described: dict[str, object] = {
        "serial": frame.serial,
        "password": frame.password.hex().upper(),
        "message": f"{frame.number:08x}",
        "control": frame.control.hex(),
        "length": len(frame.data),
    }
    if frame.control in _MEANINGS:
        described["meaning"] = _MEANINGS[frame.control]
    return described | ({"data": frame.data.hex()} if frame.data else {})


def _escaped(body: bytes) -> bytes:
    return body.replace(b"\x7f", b"\x7f\x02").replace(b"\x7e", b"\x7f\x01")


def _unescaped(body: bytes) -> bytes:
    plain = bytearray()
    escaped = False
    for byte in body:
        if escaped:
            if byte not in {1, 2}:
                raise RefusalError(f"{byte:02x} follows an escape; a damaged frame")
            plain.append(_END if byte == 1 else _ESCAPE)
            escaped = False
        elif byte == _ESCAPE:
            escaped = True
        elif byte == _END:
            raise RefusalError("7E stands inside the frame; two frames may be glued together")
        else:
            plain.append(byte)
    return bytes(plain)
