"""Every kind of field refuses what it is not, and the refusal names the field."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest

from common.errors import ensure
from common.wire.refusal import Refusal, WireError
from common.wire.shapes import (
    BOOLEAN,
    COUNT,
    INTEGER,
    UNIQUE_ID,
    Kind,
    choice,
    counters,
    integer,
    many,
    octets,
    optional,
    shape_of,
    text,
)


class Word(StrEnum):
    """Two words."""

    YES = "yes"
    NO = "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A record with a rule of its own."""

    low: int
    high: int

    def __post_init__(self) -> None:
        ensure(self.low <= self.high, "low lies at or below high")
        if self.high > 100:
            raise WireError(Refusal.EXPIRED, "a reason of its own")


PAIR = shape_of(Pair, low=INTEGER, high=INTEGER)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (INTEGER, 2**63),
        (INTEGER, -(2**63) - 1),
        (INTEGER, True),
        (INTEGER, "1"),
        (COUNT, -1),
        (integer(1, 3), 4),
        (text(3), "four"),
        (text(3), "水水"),
        (text(3), b"abc"),
        (octets(2, 1), b""),
        (octets(2, 1), b"abc"),
        (octets(2), "ab"),
        (choice(Word), 2),
        (choice(Word), -1),
        (choice(Word), True),
        (choice(Word), "yes"),
        (optional(COUNT), -1),
        (many(COUNT, 2), [1, 2, 3]),
        (many(COUNT, 2), {1: 2}),
        (many(COUNT, 2), [1, "2"]),
        (counters(1), {"a": 1, "b": 2}),
        (counters(1), {"a": "1"}),
        (counters(1), {1: 1}),
        (counters(1), []),
        (BOOLEAN, 1),
        (UNIQUE_ID, bytes(15)),
        (UNIQUE_ID, "0" * 32),
        (PAIR.kind(), [1]),
        (PAIR.kind(), [1, 2, 3]),
        (PAIR.kind(), {"low": 1, "high": 2}),
        (PAIR.kind(), [2, 1]),
    ],
)
def test_what_a_field_is_not_is_refused_by_name(kind: Kind, value: Any) -> None:
    with pytest.raises(WireError, match="the field") as refused:
        kind.unpack(value, "the field")
    assert refused.value.reason is Refusal.UNREADABLE


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (INTEGER, 2**63 - 1),
        (text(3), "水"),
        (octets(2, 1), b"a"),
        (choice(Word), Word.NO),
        (optional(COUNT), None),
        (many(COUNT, 2), (1, 2)),
        (counters(1), {"a": -1}),
        (BOOLEAN, False),
        (PAIR.kind(), Pair(low=1, high=2)),
    ],
)
def test_what_a_field_is_comes_back(kind: Kind, value: Any) -> None:
    assert kind.unpack(kind.pack(value), "the field") == value


def test_a_records_own_refusal_keeps_its_reason() -> None:
    with pytest.raises(WireError) as refused:
        PAIR.unpack([1, 101], "the field")
    assert refused.value.reason is Refusal.EXPIRED
