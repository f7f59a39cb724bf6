"""The one interface of all meter protocols: bytes out for a question, frames in, and what a frame is to a question.

Invariants: a codec holds no line, no clock and no state; `match` says "answers" only for a sound frame that answers
this very question as far as its bytes can tell. Where they cannot tell (`self_identifying` is false) the line guard
adds rules of time (see `edge/protocol/guard.py`).
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import msgspec

QuestionT_contra = TypeVar("QuestionT_contra", contravariant=True)


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """The frame answers the question; `data` is the register content without addressing."""

    frame: bytes
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The asked device answered that it will not or cannot give the value."""

    frame: bytes
    code: int
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A sound frame that belongs to another device or another question."""

    frame: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Bytes that are no sound answer of anybody: damaged, an echo, or no frame at all."""

    reason: str
    damaged: bool = False


Match = Answered | Refused | Foreign | Noise


class Codec(Protocol[QuestionT_contra]):
    """A meter protocol as pure functions."""

    @property
    def self_identifying(self) -> bool:
        """Return whether an answer names the question it belongs to."""
        ...

    @property
    def trailer_bytes_most(self) -> int:
        """Return how many stray bytes real devices are known to send after a whole answer."""
        ...

    @property
    def idle_byte(self) -> int | None:
        """Return the byte that may stand before and after frames without meaning, if the protocol has one."""
        ...

    def request(self, question: QuestionT_contra) -> bytes:
        """Return the bytes that ask the question."""
        ...

    def expect(self, prefix: bytes) -> int | None:
        """Return how many bytes the frame that starts here still lacks.

        Zero or less: the frame is whole and that many bytes follow it. None: no frame starts here.
        """
        ...

    def match(self, frame: bytes, question: QuestionT_contra) -> Match:
        """Return what a whole frame is to the question."""
        ...

    def shape(self, question: QuestionT_contra) -> Hashable:
        """Return what an answer can be told apart by; questions of one shape could swap answers in time."""
        ...
