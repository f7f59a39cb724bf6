"""The framing that DL/T 645 and CJ/T 188 share: 68, a head with a length, data, the sum of all of it, 16.

Wake-up bytes stand before the frame and are no part of it. A frame is cut by its length byte and never at the first
16: sum, address and data may hold that byte. A candidate whose end byte is not where the length says starts no frame.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from edge.protocol.codec import Foreign, Match, Noise

START = 0x68
END = 0x16
WAKE_UP = 0xFE
TAIL_BYTES = 2
ANSWER_FLAG = 0x80
ERROR_FLAG = 0x40


class Controlled(Protocol):
    """The parts of a frame, as far as both protocols have them alike."""

    @property
    def control(self) -> int:
        """Return the control byte: bit 7 marks an answer, bit 6 an error answer."""
        ...


PartsT = TypeVar("PartsT", bound=Controlled)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameShape:
    """What differs between the two: size of the head, place of the length, most data, marks inside the head.

    `fits` sees the bytes from the start on, at least one, and says whether they can still begin such a frame.
    """

    name: str
    head_bytes: int
    data_bytes_most: int
    fits: Callable[[bytes], bool]

    def missing_bytes(self, prefix: bytes) -> int | None:
        """Return how many bytes the frame that starts here still lacks, or None when none starts here."""
        if prefix[0] != START or not self.fits(prefix):
            return None
        if len(prefix) < self.head_bytes:
            return self.head_bytes + TAIL_BYTES - len(prefix)
        length = prefix[self.head_bytes - 1]
        total = self.head_bytes + length + TAIL_BYTES
        if length > self.data_bytes_most or (len(prefix) >= total and prefix[total - 1] != END):
            return None
        return total - len(prefix)

    def flaw(self, frame: bytes) -> Noise | None:
        """Return why a whole frame is none, or None when frame and sum hold."""
        if self.missing_bytes(frame) != 0:
            return Noise(reason=f"no {self.name} frame")
        if sum(frame[:-TAIL_BYTES]) & 0xFF != frame[-TAIL_BYTES]:
            return Noise(reason="checksum does not hold", damaged=True)
        return None


def close_frame(body: bytes, wake_up_bytes: int) -> bytes:
    """Return the frame of a body that begins with 68: wake-up bytes before it, sum and end behind it."""
    return bytes([WAKE_UP]) * wake_up_bytes + body + bytes([sum(body) & 0xFF, END])


def match_answer(
    frame: bytes,
    parts: PartsT | Noise,
    stranger: Callable[[PartsT], str],
    refusal: Callable[[PartsT], Match],
    answer: Callable[[PartsT], Match],
) -> Match:
    """Return what a frame is to a question, looked at in the one order: sound, an answer, ours, a refusal, the item.

    `stranger` says why the frame is another meter's, or nothing; `refusal` reads an error answer, `answer` the rest.
    """
    if isinstance(parts, Noise):
        return parts
    if not parts.control & ANSWER_FLAG:
        return Noise(reason="a request, seen as echo or from another master")
    reason = stranger(parts)
    if reason:
        return Foreign(frame=frame, reason=reason)
    return refusal(parts) if parts.control & ERROR_FLAG else answer(parts)
