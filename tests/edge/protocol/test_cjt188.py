"""CJ/T 188: identifiers in both orders, serials, units before and behind their values, and what must be refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import RefusalError
from edge.protocol import cjt188
from edge.protocol.cjt188 import Cjt188, Frame, ItemQuestion
from edge.protocol.cjt188_items import heat_unit_stands_first, parse_time, split_group
from edge.protocol.codec import Answered, Foreign, Noise, Refused
from edge.protocol.receiver import Receiver, Reception
from edge.protocol.values import ValueRefusedError

METER = "00201809230001"
ANSWER = bytes.fromhex("6810010023091820008116901f01600000002c600000002c602020000000000000dc16")
QUESTION = ItemQuestion(meter_type=0x10, address=METER, identifier="901f", serial=1)


def received(data: bytes, question: ItemQuestion = QUESTION) -> Reception:
    receiver = Receiver(Cjt188(), question)
    receiver.feed(data)
    return receiver.examine(silent=True)


def frame(control: int, payload: bytes, *, meter_type: int = 0x10, address: str = METER) -> bytes:
    parts = Frame(meter_type=meter_type, address=address, control=control, payload=payload)
    return cjt188.build_frame(parts, wake_up_bytes=0)


def test_the_published_question_is_what_the_codec_sends() -> None:
    question = ItemQuestion(meter_type=0x10, address="78330011223344", identifier="1f90", serial=0)

    assert Cjt188().request(question) == bytes.fromhex("fefefe68104433221100337801031f90008016")


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("plain", ANSWER),
        ("two bytes of signal strength behind the end", ANSWER + b"\x1c\x07"),
        ("zeros and wake-up bytes in front", bytes(4) + b"\xfe" * 6 + ANSWER),
        ("the echo of our own request in front", Cjt188().request(QUESTION) + ANSWER),
        ("the type byte left as any", frame(0x81, ANSWER[11:-2], meter_type=0xAA)),
    ],
)
def test_the_answer_is_found_whatever_stands_around_it(what: str, data: bytes) -> None:
    verdict = received(data).verdict

    assert isinstance(verdict, Answered), what
    assert verdict.data[:5].hex() == "600000002c"


def test_three_stray_bytes_behind_the_end_are_too_many() -> None:
    assert received(ANSWER + b"\x1c\x07\x01").verdict is None


@pytest.mark.parametrize(
    ("why", "other"),
    [
        ("another meter", ItemQuestion(meter_type=0x10, address="00201809230002", identifier="901f", serial=1)),
        ("another type", ItemQuestion(meter_type=0x30, address=METER, identifier="901f", serial=1)),
        (
            "the other byte order of the identifier",
            ItemQuestion(meter_type=0x10, address=METER, identifier="1f90", serial=1),
        ),
        (
            "an earlier question, by its serial",
            ItemQuestion(meter_type=0x10, address=METER, identifier="901f", serial=2),
        ),
        (
            "an address read",
            ItemQuestion(meter_type=0x10, address=METER, identifier="810a", serial=1, function=cjt188.READ_ADDRESS),
        ),
    ],
)
def test_an_answer_to_anything_else_belongs_to_another(why: str, other: ItemQuestion) -> None:
    assert isinstance(Cjt188().match(ANSWER, other), Foreign), why


def test_the_most_copied_example_of_the_web_is_refused_for_its_checksum() -> None:
    wrong = bytes.fromhex("68104433221100337881161f9000007766552c007766552c3101221105152021840816")
    question = ItemQuestion(meter_type=0x10, address="78330011223344", identifier="1f90", serial=0)

    assert isinstance(Cjt188().match(wrong, question), Noise)
    assert received(wrong, question).damaged_frames == 1


def test_a_checksum_that_is_the_wake_up_byte_cuts_nothing() -> None:
    payload = bytearray(ANSWER[11:-2])
    plain = frame(0x81, bytes(payload))
    payload[-1] = (payload[-1] + 0xFE - plain[-2]) % 256
    data = frame(0x81, bytes(payload))

    assert data[-2] == 0xFE
    assert isinstance(received(data).verdict, Answered)


def test_an_error_answer_with_our_serial_is_a_refusal_and_another_is_not() -> None:
    assert isinstance(received(frame(0xC1, bytes.fromhex("010200"))).verdict, Refused)
    assert received(frame(0xC1, bytes.fromhex("990300"))).verdict is None
    assert received(frame(0xC1, b"")).verdict is None


def test_an_address_is_asked_of_any_meter_and_answered() -> None:
    question = ItemQuestion(
        meter_type=0x10, address=cjt188.WILDCARD, identifier="0a81", serial=0xA7, function=cjt188.READ_ADDRESS
    )
    answer = bytes.fromhex("fefe68108967452301337883030a81a73416")

    assert Cjt188().request(question).endswith(bytes.fromhex("6810aaaaaaaaaaaaaa03030a81a75616"))
    assert isinstance(received(answer, question).verdict, Answered)


@pytest.mark.parametrize("address", ["", "78330123456", "7833012345678x", "783301234567890"])
def test_an_address_that_is_not_on_any_nameplate_is_refused(address: str) -> None:
    with pytest.raises(RefusalError, match="14 digits"):
        Cjt188().request(ItemQuestion(meter_type=0x10, address=address, identifier="901f", serial=0))


@pytest.mark.parametrize("identifier", ["", "90", "901f00", "90zz"])
def test_an_identifier_of_another_length_is_refused(identifier: str) -> None:
    with pytest.raises(RefusalError, match="4 hexadecimal digits"):
        Cjt188().request(ItemQuestion(meter_type=0x10, address=METER, identifier=identifier, serial=0))


def test_a_digit_pair_that_looks_like_the_unit_litre_is_a_digit_pair() -> None:
    raw, unit = split_group(bytes.fromhex("290000002c"), unit_first=False)

    assert (raw.hex(), unit.name) == ("29000000", "m3")


def test_an_unknown_unit_code_and_a_short_group_are_refused() -> None:
    with pytest.raises(ValueRefusedError, match="unit code 7f"):
        split_group(bytes.fromhex("000000007f"), unit_first=False)
    with pytest.raises(ValueRefusedError, match="5 bytes"):
        split_group(bytes.fromhex("0000002c"), unit_first=False)


def _heat(*groups: str) -> bytes:
    return b"".join(bytes.fromhex(group) for group in groups) + bytes(9 + 7 + 2)


def test_the_side_of_the_unit_is_told_by_looking() -> None:
    before = _heat("0519285300", "0519285300", "1700000000", "3500000000", "2c42331800")
    behind = _heat("1928530005", "1928530005", "0000000017", "0000000035", "423318002c")

    assert heat_unit_stands_first(before)
    assert not heat_unit_stands_first(behind)


@pytest.mark.parametrize(
    ("why", "data"),
    [
        ("neither side", _heat(*["0000000000"] * 5)),
        ("both sides", _heat(*["0500000005"] * 5)),
        ("another length", bytes(42)),
    ],
)
def test_units_on_both_sides_or_on_none_are_refused(why: str, data: bytes) -> None:
    with pytest.raises(ValueRefusedError):
        heat_unit_stands_first(data)
    assert why


@pytest.mark.parametrize("raw", ["00000000000000", "ffffffffffffff", "60202000000000", "00000031021520"])
def test_a_time_that_is_none_takes_nothing_from_the_reading(raw: str) -> None:
    assert parse_time(bytes.fromhex(raw)) is None


@given(payload=st.binary(max_size=60), serial=st.integers(0, 255))
def test_what_is_built_is_what_is_parsed(payload: bytes, serial: int) -> None:
    data = frame(0x81, bytes.fromhex("901f") + bytes([serial]) + payload)
    match = Cjt188().match(data, ItemQuestion(meter_type=0x10, address=METER, identifier="901f", serial=serial))

    assert isinstance(match, Answered)
    assert match.data == payload
