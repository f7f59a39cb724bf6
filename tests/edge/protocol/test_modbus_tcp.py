"""Modbus TCP streams: only the whole frame of the question's own transaction counts, ten thousand faults or none."""

from __future__ import annotations

import pytest
from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from edge.protocol.codec import Answered, Foreign, Noise, Refused
from edge.protocol.modbus_rtu import RegisterQuestion
from edge.protocol.modbus_tcp import match_stream, request, settles, split_frames
from tests.support.randomness import seeded

QUESTION = RegisterQuestion(unit=3, function=3, start=0x0C83, count=4)
SENT = bytes.fromhex("0007000000060303 0c830004")
VALUE = bytes.fromhex("0000000000bc614e")
FAULTS = 10_000


def answer(transaction: int = 7, *, unit: int = 3, function: int = 3, data: bytes = VALUE) -> bytes:
    body = bytes([unit, function, len(data)]) + data
    return transaction.to_bytes(2) + b"\0\0" + len(body).to_bytes(2) + body


@pytest.mark.parametrize("transaction", [1, 7, 0x1234, 0xFFFF])
@pytest.mark.parametrize(("function", "made"), [(3, ReadHoldingRegistersRequest), (4, ReadInputRegistersRequest)])
def test_the_frame_of_a_question_equals_that_of_pymodbus(
    transaction: int, function: int, made: type[ReadHoldingRegistersRequest | ReadInputRegistersRequest]
) -> None:
    asked = RegisterQuestion(unit=247, function=function, start=0xFF00, count=125)
    theirs = made(address=asked.start, count=asked.count, dev_id=asked.unit, transaction_id=transaction)

    assert request(transaction, asked) == FramerSocket(DecodePDU(is_server=False)).buildFrame(theirs)


@pytest.mark.parametrize(
    ("what", "received", "enough"),
    [
        ("nothing", b"", False),
        ("a header", answer()[:7], False),
        ("all but the last byte", answer()[:-1], False),
        ("the answer", answer(), True),
        ("a late answer", answer(6), False),
        ("a late answer and half of the own", answer(6) + answer()[:12], False),
        ("a late answer and the own", answer(6) + answer(), True),
        ("what can be no frame", b"HTTP/1.1 400 Bad Request", True),
        ("a late answer and what can be no frame", answer(6) + b"HTTP/1.1 400", True),
        ("a length of nothing", bytes.fromhex("0007000000010303"), True),
    ],
)
def test_waiting_ends_with_the_own_frame_or_when_none_can_follow(what: str, received: bytes, *, enough: bool) -> None:
    assert settles(received, SENT) is enough, what


@pytest.mark.parametrize(
    ("what", "received"),
    [
        ("plain", answer()),
        ("behind a late answer", answer(6, data=bytes(8)) + answer()),
        ("before another answer", answer() + answer(8, data=bytes(8))),
        ("twice", answer() + answer()),
    ],
)
def test_the_answer_of_the_own_transaction_is_taken(what: str, received: bytes) -> None:
    match = match_stream(received, SENT, QUESTION)

    assert isinstance(match, Answered), what
    assert match.data == VALUE


@pytest.mark.parametrize(
    ("what", "received", "kind"),
    [
        ("nothing", b"", Foreign),
        ("another transaction", answer(6), Foreign),
        ("transaction zero", answer(0), Foreign),
        ("another unit", answer(unit=4), Foreign),
        ("another function", answer(function=4), Foreign),
        ("another length", answer(data=VALUE[:4]), Foreign),
        ("half a frame", answer()[:-1], Noise),
        ("half a frame and a whole one", answer()[:12] + answer(), Noise),
        ("a whole frame and a half one", answer() + answer()[:9], Noise),
        ("two that differ", answer() + answer(data=bytes(8)), Noise),
        ("another protocol", b"HTTP/1.1 400 Bad Request\r\n\r\n", Noise),
    ],
)
def test_anything_else_gives_no_value(what: str, received: bytes, kind: type) -> None:
    assert isinstance(match_stream(received, SENT, QUESTION), kind), what


def test_an_exception_is_a_refusal() -> None:
    match = match_stream(bytes.fromhex("000700000003038302"), SENT, QUESTION)

    assert isinstance(match, Refused)
    assert match.meaning == "illegal data address"


def test_a_stream_is_split_into_whole_frames_and_a_rest() -> None:
    assert split_frames(answer(1) + answer(2) + b"\0\3\0") == ([answer(1), answer(2)], b"\0\3\0")


def test_no_injected_fault_makes_a_wrong_value() -> None:
    rng = seeded(20260101)
    right = 0
    for number in range(1, FAULTS + 1):
        truth = number.to_bytes(8)
        own, late = answer(data=truth), answer(6, data=(number - 1).to_bytes(8))
        cut = rng.randrange(1, len(own))
        whole = [late, late + own, own + own]
        torn = [own[:cut], own[:cut] + own, own[:cut] + late, late[:cut] + own, own + own[:cut]]
        stream = rng.choice(whole + torn)
        match = match_stream(stream, SENT, QUESTION)
        assert not isinstance(match, Answered) or match.data == truth
        right += isinstance(match, Answered)

    assert right > FAULTS // 5
