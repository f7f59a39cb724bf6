"""What is shown and said at a lane: a few short lines and one sentence, and the families of boards that can do it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge.protocol.boards import frames_64, frames_aa55


class BoardFamily(StrEnum):
    """The displays with a voice that hang behind a camera's serial output."""

    LED_64 = "led-64"  # frames that begin with 00 64 FF FF
    LED_AA55 = "led-aa55"  # frames between AA 55 and AF


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """The lines of the display, the first on top, and what the voice says; Chinese, as boards hold GBK only."""

    lines: tuple[str, ...]
    voice: str


def board_frames(family: BoardFamily, sign: Sign) -> tuple[bytes, ...]:
    """Return the bytes that show a sign on a board."""
    return frames_64(sign.lines, sign.voice) if family is BoardFamily.LED_64 else frames_aa55(sign.lines)
