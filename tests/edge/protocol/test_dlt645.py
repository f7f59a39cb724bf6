"""DL/T 645: what a scanner on a real line must survive, and what the codec refuses to say or to take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import RefusalError
from edge.protocol import dlt645
from edge.protocol.codec import Answered, Foreign, Noise, Refused
from edge.protocol.description import describe
from edge.protocol.dlt645 import Dlt645, Edition, IdentifierQuestion
from edge.protocol.receiver import Receiver, Reception
from edge.protocol.values import ValueRefusedError

ENERGY = "00010000"
ANSWER = bytes.fromhex("6861010000000068910833333433593333338a16")
QUESTION = IdentifierQuestion(address="000000000161", identifier=ENERGY)
OLD_ANSWER = bytes.fromhex("6885141600181568810643c37b954333bf16")
OLD_QUESTION = IdentifierQuestion(address="151800161485", identifier="9010", edition=Edition.Y1997)
WILDCARD_ADDRESS = "a" * 12


def received(data: bytes, question: IdentifierQuestion = QUESTION, *, silent: bool = True) -> Reception:
    receiver = Receiver(Dlt645(), question)
    receiver.feed(data)
    return receiver.examine(silent=silent)


def value_of(reception: Reception) -> bytes:
    assert isinstance(reception.verdict, Answered)
    return reception.verdict.data


def answer(address: str, identifier: str, value: bytes, control: int = 0x91) -> bytes:
    data = bytes.fromhex(identifier)[::-1] + value
    return dlt645.build_frame(dlt645.pack_address(address), control, data, wake_up_bytes=0)


def test_the_published_question_is_what_the_codec_sends() -> None:
    sent = Dlt645().request(QUESTION)

    assert sent == bytes.fromhex("fefefefe68610100000000681104333334331416")


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("plain", ANSWER),
        ("seven wake-up bytes", b"\xfe" * 7 + ANSWER),
        ("junk before the start", bytes.fromhex("0068aa16fe") + ANSWER),
        ("a stray wake-up byte after the end", ANSWER + b"\xfe"),
        ("the echo of our own request in front", Dlt645().request(QUESTION) + ANSWER),
        ("an answer of another meter in front", answer("000000000162", ENERGY, b"\x01\0\0\0") + ANSWER),
        ("an answer of another meter behind", ANSWER + answer("000000000162", ENERGY, b"\x01\0\0\0")),
        ("an answer to another identifier in front", answer("000000000161", "00020000", bytes(4)) + ANSWER),
        ("the same answer twice", ANSWER + ANSWER),
    ],
)
def test_the_answer_is_found_whatever_stands_around_it(what: str, data: bytes) -> None:
    assert value_of(received(data)).hex() == "26000000", what


def test_the_end_byte_as_checksum_in_address_and_in_data_cuts_no_frame() -> None:
    meter = "161616161616"
    data = answer(meter, "02020100", bytes.fromhex("161616"))

    assert value_of(received(data, IdentifierQuestion(address=meter, identifier="02020100"))).hex() == "161616"
    assert value_of(received(OLD_ANSWER, OLD_QUESTION)).hex() == "48621000"


def test_a_start_byte_inside_address_and_data_is_left_by_one_byte_only() -> None:
    meter = "686868686868"
    data = answer(meter, ENERGY, bytes.fromhex("35353535"))

    found = received(b"\x68\x68" + data, IdentifierQuestion(address=meter, identifier=ENERGY))

    assert value_of(found).hex() == "35353535"


@pytest.mark.parametrize("cut", range(1, len(ANSWER)))
def test_an_answer_in_two_pieces_waits_for_the_second(cut: int) -> None:
    receiver = Receiver(Dlt645(), QUESTION)
    receiver.feed(ANSWER[:cut])
    before = receiver.examine(silent=False)
    receiver.feed(ANSWER[cut:])

    assert before.verdict is None
    assert before.pending
    assert value_of(receiver.examine(silent=False)).hex() == "26000000"


@pytest.mark.parametrize("cut", range(1, len(ANSWER)))
def test_a_torn_answer_glued_to_a_whole_one_gives_the_whole_one_or_nothing(cut: int) -> None:
    found = received(ANSWER[:cut] + ANSWER)

    assert found.verdict is None or value_of(found).hex() == "26000000"


def test_an_answer_with_the_start_of_another_frame_behind_it_waits_for_the_rest() -> None:
    reception = received(ANSWER + ANSWER[:5], silent=False)

    assert reception.verdict is None
    assert reception.pending


def test_a_wrong_checksum_is_counted_as_damage() -> None:
    found = received(ANSWER[:-2] + b"\x8b\x16")

    assert found.verdict is None
    assert found.damaged_frames == 1


def test_bytes_behind_an_answer_that_belong_to_no_frame_make_it_untrusted() -> None:
    assert received(ANSWER + bytes.fromhex("3333338a16")).verdict is None


def test_two_different_sound_answers_are_both_refused() -> None:
    other = answer("000000000161", ENERGY, bytes.fromhex("27000000"))

    assert received(ANSWER + other).verdict is None


def test_an_error_word_is_a_bit_field() -> None:
    frame = dlt645.build_frame(dlt645.pack_address("000000000161"), 0xD1, b"\x03", wake_up_bytes=0)
    verdict = received(frame).verdict

    assert isinstance(verdict, Refused)
    assert (verdict.code, verdict.meaning) == (3, "other error, no such data")


def test_a_1997_error_byte_keeps_its_raw_value() -> None:
    frame = dlt645.build_frame(dlt645.pack_address("151800161485"), 0xC1, b"\x02", wake_up_bytes=0)
    verdict = received(frame, OLD_QUESTION).verdict

    assert isinstance(verdict, Refused)
    assert "02" in verdict.meaning


def test_a_1997_meter_that_answers_with_the_wildcard_is_taken_only_where_the_profile_says_so() -> None:
    frame = dlt645.build_frame(dlt645.WILDCARD, 0x81, bytes.fromhex("1090" + "48621000"), wake_up_bytes=0)
    lenient = IdentifierQuestion(
        address="151800161485", identifier="9010", edition=Edition.Y1997, accept_wildcard_answer=True
    )

    assert received(frame, OLD_QUESTION).foreign_frames == 1
    assert value_of(received(frame, lenient)).hex() == "48621000"


def test_a_wildcard_question_takes_the_answer_of_the_one_meter_on_the_line() -> None:
    question = IdentifierQuestion(address=WILDCARD_ADDRESS, identifier=ENERGY)

    assert value_of(received(ANSWER, question)).hex() == "26000000"


def test_the_address_of_a_meter_is_asked_and_answered() -> None:
    question = IdentifierQuestion(address=WILDCARD_ADDRESS, identifier=None)
    frame = bytes.fromhex("fefefefe68944103261218689306c7743659454beb16")

    assert Dlt645().request(question).endswith(bytes.fromhex("68aaaaaaaaaaaa681300df16"))
    assert value_of(received(frame, question))[::-1].hex() == "181226034194"


def test_an_answer_that_continues_in_further_frames_is_refused_not_cut() -> None:
    verdict = received(answer("000000000161", ENERGY, bytes(4), control=0xB1)).verdict

    assert isinstance(verdict, Refused)


def test_a_request_of_another_master_is_no_answer() -> None:
    assert isinstance(Dlt645().match(bytes.fromhex("68610100000000681104333334331416"), QUESTION), Noise)
    assert isinstance(Dlt645().match(OLD_ANSWER, QUESTION), Foreign)


def test_a_right_checksum_over_no_decimal_digits_gives_no_value() -> None:
    frame = answer("000000000161", ENERGY, bytes.fromhex("00140a00"))

    with pytest.raises(ValueRefusedError, match="digit above 9"):
        describe("DL/T645-2007", frame)


@pytest.mark.parametrize("address", ["", "161", "00000000016a", "0000000001610", "aaaaaaaaaaa1"])
def test_an_address_that_is_not_on_any_nameplate_is_refused(address: str) -> None:
    with pytest.raises(RefusalError, match="12 digits"):
        Dlt645().request(IdentifierQuestion(address=address, identifier=ENERGY))


@pytest.mark.parametrize(
    ("identifier", "edition"), [("9010", Edition.Y2007), (ENERGY, Edition.Y1997), ("xy10", Edition.Y1997)]
)
def test_an_identifier_of_the_other_edition_is_refused(identifier: str, edition: Edition) -> None:
    with pytest.raises(RefusalError, match="hexadecimal digits"):
        Dlt645().request(IdentifierQuestion(address="000000000161", identifier=identifier, edition=edition))


def test_the_gateway_has_no_way_to_clear_write_or_switch_a_meter() -> None:
    controls = {Dlt645().request(question)[12] for question in (QUESTION, OLD_QUESTION)}
    controls.add(Dlt645().request(IdentifierQuestion(address=WILDCARD_ADDRESS, identifier=None))[12])

    assert controls == {0x11, 0x01, 0x13}


@given(address=st.integers(0, 10**12 - 1), identifier=st.binary(min_size=4, max_size=4), value=st.binary(max_size=40))
def test_what_is_built_is_what_is_parsed(address: int, identifier: bytes, value: bytes) -> None:
    text = f"{address:012d}"
    frame = answer(text, identifier.hex(), value)
    match = Dlt645().match(frame, IdentifierQuestion(address=text, identifier=identifier.hex()))

    assert isinstance(match, Answered)
    assert match.data == value


@given(data=st.binary(max_size=80))
def test_any_bytes_are_survived(data: bytes) -> None:
    assert received(data).verdict is None
    assert received(data + ANSWER).verdict is None or value_of(received(data + ANSWER)).hex() == "26000000"
