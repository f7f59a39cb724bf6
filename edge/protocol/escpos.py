"""Receipt printers (ESC/POS): lines, codes and the cut as bytes, and what their status bytes mean. Pure.

Chinese text goes out as GB18030 in double-byte mode; a character takes two columns. The half-width yen sign would print
as junk and is replaced by the full-width one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

START = b"\x1b@\x1c&"  # reset, double-byte mode
CUT = b"\x1dVB\x00"
ASK_COVER = b"\x10\x04\x02"
ASK_PAPER = b"\x10\x04\x04"
_BIG, _SMALL = b"\x1d!\x11", b"\x1d!\x00"
_CENTRE, _LEFT = b"\x1ba\x01", b"\x1ba\x00"
_FEED = b"\x1bd\x04"
_COVER_OPEN = 0x04
_PAPER_OUT = 0x60
_FIXED = 0x12  # bits that every status byte has
_FIXED_MASK = 0x93
_QR_BYTES_MOST = 700
COLUMNS = 32
_WIDE_FROM = 0x2E80


class Readiness(StrEnum):
    """Whether a printer can print now."""

    READY = "ready"
    NO_PAPER = "no_paper"
    COVER_OPEN = "cover_open"
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a receipt: text, or with `right` a name and a figure at the edges."""

    text: str
    right: str = ""
    big: bool = False
    centre: bool = False


def receipt(lines: Iterable[Line], qr: str = "", columns: int = COLUMNS) -> bytes:
    """Return the bytes of a receipt with its cut; `qr` is printed as a code below."""
    body = b"".join(_line(line, columns) for line in lines)
    return START + body + (_qr(qr) if qr else b"") + _FEED + CUT


def readiness(cover: bytes, paper: bytes) -> Readiness:
    """Return what the answers to `ASK_COVER` and `ASK_PAPER` mean."""
    if len(cover) != 1 or len(paper) != 1 or any(byte & _FIXED_MASK != _FIXED for byte in cover + paper):
        return Readiness.SILENT
    if cover[0] & _COVER_OPEN:
        return Readiness.COVER_OPEN
    return Readiness.NO_PAPER if paper[0] & _PAPER_OUT else Readiness.READY


def width_of(text: str) -> int:
    """Return the columns that a text takes."""
    return sum(2 if ord(character) >= _WIDE_FROM else 1 for character in text)


def encoded(text: str) -> bytes:
    """Return text as the printer takes it; what it cannot print becomes a question mark."""
    return text.replace("\N{YEN SIGN}", "\N{FULLWIDTH YEN SIGN}").encode("gb18030", errors="replace")


def _line(line: Line, columns: int) -> bytes:
    wide = columns // 2 if line.big else columns
    text = _fit(line.text, line.right, wide)
    style = (_BIG if line.big else _SMALL) + (_CENTRE if line.centre else _LEFT)
    return style + b"".join(encoded(part) + b"\n" for part in text)


def _fit(text: str, right: str, columns: int) -> list[str]:
    """Return a line folded at the paper's width; a figure keeps to the right edge of the last part."""
    right = right.replace("\N{YEN SIGN}", "\N{FULLWIDTH YEN SIGN}")
    parts: list[str] = [""]
    for character in text.replace("\n", " "):
        if width_of(parts[-1]) + width_of(character) > columns:
            parts.append("")
        parts[-1] += character
    if right:
        if width_of(parts[-1]) + 1 + width_of(right) > columns:
            parts.append("")
        parts[-1] += " " * (columns - width_of(parts[-1]) - width_of(right)) + right
    return parts


def _qr(text: str) -> bytes:
    data = text.encode()[:_QR_BYTES_MOST]
    store = (len(data) + 3).to_bytes(2, "little") + b"1P0" + data
    return (
        _CENTRE
        + b"\x1d(k\x04\x001A2\x00"  # model 2
        + b"\x1d(k\x03\x001C\x06"  # dots a module
        + b"\x1d(k\x03\x001E1"  # error correction M
        + b"\x1d(k"
        + store
        + b"\x1d(k\x03\x001Q0\n"
    )
