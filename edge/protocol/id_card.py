"""Readers of Chinese identity cards (SAM-V): framed commands with an exclusive-or; what is read is compared, not kept.

    AA AA AA 96 69 · length 2 · command, parameter or SW1 SW2 SW3 · data · XOR of all from the length on

The text block is UTF-16, low byte first, in fixed fields. The name and number are personal: read, compared, forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import xor

from common.errors import RefusalError

START = bytes.fromhex("aaaaaa9669")
_LENGTH_BYTES = 2
_LEAST = 4
FIND, SELECT, READ = bytes.fromhex("2001"), bytes.fromhex("2002"), bytes.fromhex("3001")
FOUND, DONE = bytes.fromhex("00009f"), bytes.fromhex("000090")
_MEANINGS = {FIND: "find card", SELECT: "select card", READ: "read text and photo"}
_STATUS = {FOUND: "card found", DONE: "done", bytes.fromhex("000080"): "no card found"}
_FIELDS = (("name", 15), ("sex", 1), ("nation", 2), ("birth", 8), ("address", 35), ("number", 18))
_CHARACTER_BYTES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What is used of a card: its name and number."""

    name: str
    number: str


def command(parts: bytes) -> bytes:
    """Return the frame of a command."""
    body = (len(parts) + 1).to_bytes(_LENGTH_BYTES) + parts
    return START + body + bytes([reduce(xor, body)])


def payload(data: bytes) -> bytes:
    """Return what stands between length and check byte.

    Raises:
        RefusalError: the frame is none, or damaged.
    """
    if not data.startswith(START):
        raise RefusalError("the bytes do not begin with AA AA AA 96 69; look at the reader's speed (115200)")
    body = data[len(START) :]
    length = int.from_bytes(body[:_LENGTH_BYTES])
    if length < _LEAST - 1 or len(body) != _LENGTH_BYTES + length:
        raise RefusalError(f"the frame states {length} bytes and has {len(body) - _LENGTH_BYTES}")
    if reduce(xor, body[:-1]) != body[-1]:
        raise RefusalError("the check byte does not hold: a damaged frame")
    return body[_LENGTH_BYTES:-1]


def parse_identity(data: bytes) -> Identity:
    """Return name and number of the answer to a read.

    Raises:
        RefusalError: the answer is damaged or holds no text.
    """
    content = payload(data)
    if not content.startswith(DONE):
        raise RefusalError("the reader read no card; hold it flat and still")
    text_bytes = int.from_bytes(content[3:5])
    try:
        text = content[7 : 7 + text_bytes].decode("utf-16-le")
    except UnicodeDecodeError as problem:
        raise RefusalError("the card's text is no UTF-16") from problem
    fields: dict[str, str] = {}
    for name, width in _FIELDS:
        fields[name], text = text[:width].strip(), text[width:]
    if len(fields["number"]) != _FIELDS[-1][1]:
        raise RefusalError("the card's text holds no number")
    return Identity(name=fields["name"], number=fields["number"])


def describe_id_card(data: bytes) -> dict[str, object]:
    """Return what a frame says; names and numbers are never shown.

    Raises:
        RefusalError: the frame is none, or damaged.
    """
    content = payload(data)
    if len(content) == 2:  # noqa: PLR2004 - command and parameter
        described: dict[str, object] = {"command": f"{content[0]:02x}", "parameter": f"{content[1]:02x}"}
        return described | ({"meaning": _MEANINGS[content]} if content in _MEANINGS else {})
    status = content[:3]
    answered: dict[str, object] = {"sw": status.hex()}
    return answered | ({"meaning": _STATUS[status]} if status in _STATUS else {})
