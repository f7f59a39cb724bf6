"""Modbus RTU: frames equal those of pymodbus, and an answer is taken only for the unit, function and length asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    ReadInputRegistersRequest,
)

from common.errors import InvariantError
from edge.protocol.codec import Answered, Foreign, Noise, Refused
from edge.protocol.modbus_rtu import ModbusRtu, RegisterQuestion, crc16, crc_holds
from edge.protocol.receiver import Receiver, Reception

QUESTION = RegisterQuestion(unit=1, function=4, start=0, count=2)
ANSWER = bytes.fromhex("010404436633341b38")


def sealed(body: bytes) -> bytes:
    return body + crc16(body)


def received(data: bytes, question: RegisterQuestion = QUESTION, *, silent: bool = True) -> Reception:
    receiver = Receiver(ModbusRtu(), question)
    receiver.feed(data)
    return receiver.examine(silent=silent)


def test_the_maker_s_worked_example_is_asked_and_answered() -> None:
    verdict = received(ANSWER).verdict

    assert ModbusRtu().request(QUESTION) == bytes.fromhex("01040000000271cb")
    assert isinstance(verdict, Answered)
    assert verdict.data.hex() == "43663334"


@given(
    unit=st.integers(1, 247), start=st.integers(0, 0xFF00), count=st.integers(1, 125), function=st.sampled_from([3, 4])
)
def test_requests_equal_those_of_another_implementation(unit: int, start: int, count: int, function: int) -> None:
    request = {3: ReadHoldingRegistersRequest, 4: ReadInputRegistersRequest}[function](
        address=start, count=count, dev_id=unit
    )
    theirs = FramerRTU(DecodePDU(is_server=False)).buildFrame(request)

    assert ModbusRtu().request(RegisterQuestion(unit=unit, function=function, start=start, count=count)) == theirs


@given(unit=st.integers(1, 247), registers=st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=125))
def test_answers_of_another_implementation_are_taken(unit: int, registers: list[int]) -> None:
    theirs = FramerRTU(DecodePDU(is_server=False)).buildFrame(
        ReadHoldingRegistersResponse(registers=registers, dev_id=unit)
    )
    question = RegisterQuestion(unit=unit, function=3, start=0, count=len(registers))
    verdict = received(theirs, question).verdict

    assert isinstance(verdict, Answered)
    assert verdict.data == b"".join(register.to_bytes(2) for register in registers)


@pytest.mark.parametrize(
    ("why", "frame"),
    [
        ("another unit", sealed(bytes.fromhex("02040443663334"))),
        ("another function", sealed(bytes.fromhex("01030443663334"))),
        ("another length", sealed(bytes.fromhex("010406436633340000"))),
    ],
)
def test_an_answer_to_another_question_belongs_to_another(why: str, frame: bytes) -> None:
    assert isinstance(ModbusRtu().match(frame, QUESTION), Foreign), why
    assert received(frame).verdict is None
    assert isinstance(received(frame + ANSWER).verdict, Answered)


def test_an_exception_is_a_refusal_with_its_code() -> None:
    verdict = received(sealed(bytes([1, 0x84, 2]))).verdict

    assert isinstance(verdict, Refused)
    assert (verdict.code, verdict.meaning) == (2, "illegal data address")


@pytest.mark.parametrize("bit", range(8 * len(ANSWER)))
def test_any_turned_bit_is_damage(bit: int) -> None:
    damaged = bytearray(ANSWER)
    damaged[bit // 8] ^= 1 << bit % 8

    assert received(bytes(damaged)).verdict is None


@pytest.mark.parametrize("cut", range(1, len(ANSWER)))
def test_an_answer_in_two_pieces_waits_for_the_second(cut: int) -> None:
    receiver = Receiver(ModbusRtu(), QUESTION)
    receiver.feed(ANSWER[:cut])
    before = receiver.examine(silent=False)
    receiver.feed(ANSWER[cut:])

    assert before.verdict is None
    assert before.pending
    assert isinstance(receiver.examine(silent=False).verdict, Answered)


@pytest.mark.parametrize("junk", ["00", "ff", "01", "0104", "0103ff", "05040203"])
def test_noise_before_the_answer_is_stepped_over(junk: str) -> None:
    assert isinstance(received(bytes.fromhex(junk) + ANSWER).verdict, Answered)


def test_the_echo_is_dropped_where_the_wire_echoes() -> None:
    request = ModbusRtu().request(QUESTION)
    receiver = Receiver(ModbusRtu(), QUESTION, echo_of=request)
    receiver.feed(request[:3])
    receiver.feed(request[3:] + ANSWER)

    reception = receiver.examine(silent=True)

    assert isinstance(reception.verdict, Answered)
    assert reception.noise_bytes == 0


def test_the_same_answer_twice_is_one_answer_and_a_torn_second_makes_it_untrusted() -> None:
    assert isinstance(received(ANSWER + ANSWER).verdict, Answered)
    assert received(ANSWER + ANSWER[:-1]).verdict is None


@pytest.mark.parametrize(
    "changes",
    [{"unit": 0}, {"unit": 248}, {"function": 6}, {"count": 0}, {"count": 126}, {"start": -1}, {"start": 0xFFFF}],
)
def test_a_question_outside_the_protocol_cannot_exist(changes: dict[str, int]) -> None:
    with pytest.raises(InvariantError):
        RegisterQuestion(**{"unit": 1, "function": 3, "start": 0, "count": 2, **changes})


@given(data=st.binary(max_size=40))
def test_any_bytes_are_survived(data: bytes) -> None:
    found = received(data).verdict

    assert found is None or crc_holds(found.frame)


def test_a_bad_crc_is_noise() -> None:
    assert isinstance(ModbusRtu().match(ANSWER[:-1] + b"\x00", QUESTION), Noise)
    assert not crc_holds(b"")
