"""The frames of two families of LED and voice boards behind plate cameras. Pure bytes; text is GBK.

    family led-64     00 64 FF FF · command · length · data · CRC-16/MODBUS over all before it, low byte first
    family led-aa55   AA 55 · sequence · 64 · 00 · command · length 2 · line · 00 01 00 · text · CRC · AF
                      CRC-16/MODBUS over what stands between AA 55 and it and two zero bytes, high byte first

The voice chips speak digits one by one or as a number depending on the byte before the text; that is for the board in
hand. What GBK cannot say is shown as a question mark rather than refused: a gate does not fail for a sign.
"""

from __future__ import annotations

from collections.abc import Sequence

from common.errors import RefusalError
from edge.protocol.modbus_rtu import crc16

_HEAD = bytes.fromhex("0064ffff")
_AA = b"\xaa\x55"
_AF = 0xAF
_SPEAK = 0x30
_SHOW = 0x3F
_SHOW_LINE = 0x27
_OPTION = 0x01
_TEXT_HEAD = bytes.fromhex("40000000")
_LINE_TAIL = bytes.fromhex("000100")
_AA_HEAD_BYTES = 8  # AA 55, sequence, address, 00, command, length
_LINE_HEAD_BYTES = 4
_SHORTEST = 8
_DATA_MOST = 255
LINES_MOST = 4


def speak_frame(text: str) -> bytes:
    """Return the frame that makes a board of the 64 family speak."""
    return _frame_64(_SPEAK, bytes([_OPTION]) + _gbk(text, _DATA_MOST - 1))


def show_frame(text: str) -> bytes:
    """Return the frame that makes a board of the 64 family show one text."""
    return _frame_64(_SHOW, _TEXT_HEAD + _gbk(text, _DATA_MOST - len(_TEXT_HEAD)))


def line_frame(line: int, text: str, sequence: int) -> bytes:
    """Return the frame that shows a text on a line (from 1) of a board of the AA55 family."""
    data = bytes([line]) + _LINE_TAIL + _gbk(text, _DATA_MOST - _LINE_HEAD_BYTES)
    body = bytes([sequence & 0xFF, 0x64, 0x00, _SHOW_LINE]) + len(data).to_bytes(2) + data
    return _AA + body + _crc_aa55(body) + bytes([_AF])


def frames_64(lines: Sequence[str], voice: str) -> tuple[bytes, ...]:
    """Return the frames of a sign for the 64 family: all lines as one text, then the voice."""
    return show_frame(" ".join(lines)), speak_frame(voice)


def frames_aa55(lines: Sequence[str]) -> tuple[bytes, ...]:
    """Return the frames of a sign for the AA55 family, a line each."""
    return tuple(line_frame(n, text, n) for n, text in enumerate(lines[:LINES_MOST], 1))


def describe_led_64(data: bytes) -> dict[str, object]:
    """Return what a frame of the 64 family says.

    Raises:
        RefusalError: it is none, or damaged.
    """
    if len(data) < _SHORTEST or data[:1] + data[2:4] != _HEAD[:1] + _HEAD[2:4]:
        raise RefusalError("the frame does not begin with 00, an address and FF FF; look at the wiring and the family")
    length = data[5]
    if len(data) != 6 + length + 2:
        raise RefusalError(f"the frame states {length} bytes of data and has {len(data) - 8}")
    if crc16(data[:-2]) != data[-2:]:
        raise RefusalError("the CRC does not hold: a damaged frame")
    body = data[6:-2]
    described: dict[str, object] = {"address": f"{data[1]:02x}", "command": f"{data[4]:02x}", "length": length}
    if data[4] == _SPEAK and body:
        return described | {"option": f"{body[0]:02x}", "text_gbk": _text(body[1:]), "meaning": "speak text"}
    if data[4] == _SHOW and length > len(_TEXT_HEAD):
        return described | {"header": body[:4].hex(), "text_gbk": _text(body[4:])}
    return described | {"data": body.hex()}


def describe_led_aa55(data: bytes) -> dict[str, object]:
    """Return what a frame of the AA55 family says.

    Raises:
        RefusalError: it is none, or damaged.
    """
    if len(data) < _AA_HEAD_BYTES + _LINE_HEAD_BYTES + 3 or data[:2] != _AA or data[-1] != _AF:
        raise RefusalError("the frame does not stand between AA 55 and AF; look at the wiring and the family")
    body, length = data[2:-3], int.from_bytes(data[6:8])
    if len(body) != 6 + length:
        raise RefusalError(f"the frame states {length} bytes of data and has {len(body) - 6}")
    if _crc_aa55(body) != data[-3:-1]:
        raise RefusalError("the CRC does not hold: a damaged frame")
    content = body[6:]
    return {
        "sequence": f"{data[2]:02x}",
        "address": f"{data[3]:02x}",
        "command": f"{data[5]:02x}",
        "length": length,
        "line": content[0],
        "header": content[:_LINE_HEAD_BYTES].hex(),
        "text_gbk": _text(content[_LINE_HEAD_BYTES:]),
        "crc": "CRC-16/MODBUS over the bytes after AA 55 plus two zero bytes, high byte first",
    }


def _frame_64(command: int, data: bytes) -> bytes:
    frame = _HEAD + bytes([command, len(data)]) + data
    return frame + crc16(frame)


def _crc_aa55(body: bytes) -> bytes:
    return crc16(body + b"\x00\x00")[::-1]


def _gbk(text: str, most: int) -> bytes:
    """Return text in GBK, cut at a whole character."""
    return text.encode("gbk", errors="replace")[:most].decode("gbk", errors="ignore").encode("gbk")


def _text(data: bytes) -> str:
    try:
        return data.decode("gbk")
    except UnicodeDecodeError as problem:
        raise RefusalError("the text is not GBK; look at the family of the board") from problem
