"""The framing that two protocols share: cut by length, kept by sum, refused when either does not hold."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from edge.protocol import cjt188, dlt645
from edge.protocol.codec import Answered, Noise, Refused
from edge.protocol.summed_frame import FrameShape, close_frame, match_answer

SHAPE = FrameShape(name="test", head_bytes=3, data_bytes_most=4, fits=lambda prefix: prefix[1:2] != b"\xaa")
WHOLE = close_frame(bytes.fromhex("680002") + b"\x16\x16", 0)


def test_a_frame_is_cut_by_its_length_and_not_at_the_first_end_byte() -> None:
    assert SHAPE.missing_bytes(WHOLE) == 0
    assert SHAPE.flaw(WHOLE) is None
    assert SHAPE.missing_bytes(WHOLE + b"\x68\x00") == -2


def test_every_beginning_of_a_frame_says_what_it_lacks() -> None:
    assert [SHAPE.missing_bytes(WHOLE[:n]) for n in range(1, len(WHOLE) + 1)] == [4, 3, 4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("what", "prefix"),
    [
        ("another start byte", "00"),
        ("a head with a foreign mark", "68aa"),
        ("a length beyond the most", "680005"),
        ("an end byte that is none", "680001160017"),
    ],
)
def test_what_cannot_begin_a_frame_is_said_at_once(what: str, prefix: str) -> None:
    assert SHAPE.missing_bytes(bytes.fromhex(prefix)) is None, what


def test_a_wrong_sum_is_damage_and_half_a_frame_is_none() -> None:
    damaged = WHOLE[:-2] + bytes([WHOLE[-2] ^ 1, 0x16])

    assert getattr(SHAPE.flaw(damaged), "damaged", None) is True
    assert getattr(SHAPE.flaw(WHOLE[:-1]), "damaged", None) is False


def test_wake_up_bytes_stand_before_the_sum_and_are_not_in_it() -> None:
    assert close_frame(b"\x68\x00", 2) == bytes.fromhex("fefe68006816")


def test_both_protocols_cut_their_frames_with_it() -> None:
    for shape in (dlt645.SHAPE, cjt188.SHAPE):
        frame = close_frame(bytes([0x68, 0x10, 0, 0, 0, 0, 0, 0x68, 0, 0, 0][: shape.head_bytes]), 0)
        assert shape.flaw(frame) is None


@dataclass(frozen=True)
class Parts:
    control: int


@pytest.mark.parametrize(
    ("parts", "stranger", "found"),
    [
        pytest.param(Noise(reason="torn", damaged=True), "", Noise(reason="torn", damaged=True), id="damage"),
        pytest.param(Parts(0x11), "", "a request, seen as echo or from another master", id="a request"),
        pytest.param(Parts(0xD1), "answer of meter 2", "answer of meter 2", id="another meter's refusal"),
        pytest.param(Parts(0xD1), "", Refused(frame=b"f", code=1, meaning="no"), id="a refusal"),
        pytest.param(Parts(0x91), "", Answered(frame=b"f", data=b"d"), id="the item"),
    ],
)
def test_a_frame_is_looked_at_in_one_order(parts: Parts | Noise, stranger: str, found: object) -> None:
    match = match_answer(
        b"f",
        parts,
        lambda _: stranger,
        lambda _: Refused(frame=b"f", code=1, meaning="no"),
        lambda _: Answered(frame=b"f", data=b"d"),
    )

    assert match == found or getattr(match, "reason", None) == found
