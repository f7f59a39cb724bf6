"""Takes bytes as a line hands them over, in any pieces, and finds the one frame that answers a question.

Invariants: a candidate that fails is left by one byte, never by a frame; an answer followed by bytes that belong to
no frame is not trusted, because a torn answer glued to the next one can pass an eight-bit checksum; two sound answers
that differ are both refused. It decides nothing about time: the caller says when the line has fallen silent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from edge.protocol.codec import Answered, Codec, Foreign, Match, Noise, Refused

QuestionT = TypeVar("QuestionT")
BUFFER_BYTES_MOST = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """What the bytes of one exchange hold: the verdict, if there is one, and what else was seen."""

    verdict: Answered | Refused | None
    pending: bool
    foreign_frames: int
    damaged_frames: int
    noise_bytes: int


@dataclass(slots=True)
class _Scan:
    """The running figures of one pass over the buffer."""

    found: list[Answered | Refused]
    foreign: int = 0
    damaged: int = 0
    noise: int = 0
    noise_since_found: int = 0
    pending: bool = False


class Receiver(Generic[QuestionT]):
    """The bytes received since a question was asked."""

    def __init__(self, codec: Codec[QuestionT], question: QuestionT, *, echo_of: bytes = b"") -> None:
        self._codec = codec
        self._question = question
        self._echo_of = echo_of
        self._buffer = bytearray()

    @property
    def received(self) -> bytes:
        """Return every byte kept so far; the evidence when no frame is found."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take bytes from the line; a babbling line keeps only its newest bytes."""
        self._buffer += data
        if self._echo_of and len(self._buffer) >= len(self._echo_of):
            if self._buffer.startswith(self._echo_of):
                del self._buffer[: len(self._echo_of)]
            self._echo_of = b""
        if len(self._buffer) > BUFFER_BYTES_MOST:
            del self._buffer[:-BUFFER_BYTES_MOST]

    def examine(self, *, silent: bool) -> Reception:
        """Return what the bytes hold; `silent` says that the line is quiet, so a half frame will not be completed."""
        buffer = bytes(self._buffer)
        scan = _Scan(found=[])
        position = 0
        while position < len(buffer):
            step = self._examine_at(buffer[position:], scan, silent=silent)
            if step == 0:
                scan.pending = True
                break
            position += step
        return Reception(
            verdict=self._decide(scan, pending=scan.pending),
            pending=scan.pending,
            foreign_frames=scan.foreign,
            damaged_frames=scan.damaged,
            noise_bytes=scan.noise,
        )

    def _examine_at(self, rest: bytes, scan: _Scan, *, silent: bool) -> int:
        """Examine one position; return how far to go on, 0 to wait for more bytes."""
        more = self._codec.expect(rest)
        if more is None or (more > 0 and silent):
            self._count_noise(rest[0], scan)
            return 1
        if more > 0:
            return 0
        length = len(rest) + more
        match: Match = self._codec.match(rest[:length], self._question)
        if isinstance(match, Noise):
            scan.damaged += match.damaged
            self._count_noise(rest[0], scan)
            return 1
        if isinstance(match, Foreign):
            scan.foreign += 1
        else:
            scan.found.append(match)
        return length

    def _count_noise(self, byte: int, scan: _Scan) -> None:
        if byte == self._codec.idle_byte:
            return
        scan.noise += 1
        if scan.found:
            scan.noise_since_found += 1

    def _decide(self, scan: _Scan, *, pending: bool) -> Answered | Refused | None:
        trusted = (
            len(scan.found) > 0
            and not pending
            and scan.noise_since_found <= self._codec.trailer_bytes_most
            and all(found == scan.found[0] for found in scan.found)
        )
        return scan.found[0] if trusted else None
