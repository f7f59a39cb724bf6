"""The link layer of M-Bus: frames cut and checked, answers matched to their meter, nothing but reads built."""

from __future__ import annotations

import pytest

from common.errors import InvariantError, RefusalError
from edge.protocol.codec import Answered, Foreign, Noise, Refused
from edge.protocol.mbus import LinkAddress, LinkQuestion, Mbus, Step, flaw, missing_bytes, parse_address
from tests.simulation.devices.mbus_slaves import frame

CODEC = Mbus()
IDENTITY = bytes.fromhex("785634122d2c1b04")
BODY = b"\x72" + IDENTITY + b"\x05\x00\x00\x00" + bytes.fromhex("0c1301000000")
TELEGRAM = frame(0x08, 5, BODY)
AT_FIVE = LinkQuestion(step=Step.TELEGRAM, address=parse_address("5"), count_bit=True)
CHOSEN = LinkQuestion(step=Step.TELEGRAM, address=parse_address("12345678"), count_bit=True)


@pytest.mark.parametrize(
    ("question", "sent"),
    [
        (LinkQuestion(step=Step.RESET, address=parse_address("5")), "1040054516"),
        (AT_FIVE, "107b058016"),
        (LinkQuestion(step=Step.TELEGRAM, address=parse_address("1")), "105b015c16"),
        (
            LinkQuestion(step=Step.SELECT, address=parse_address("12345678")),
            "680b0b6873fd5278563412ffffffffd216",
        ),
        (
            LinkQuestion(step=Step.SELECT, address=parse_address("123456782d2c1b04")),
            "680b0b6873fd52785634122d2c1b044e16",
        ),
    ],
)
def test_a_question_is_the_frame_of_the_standard(question: LinkQuestion, sent: str) -> None:
    assert CODEC.request(question).hex() == sent


@pytest.mark.parametrize("text", ["0", "251", "1234567", "123456789", "12345678zzzzzzzz", "", "\u0665"])
def test_an_address_that_no_meter_can_have_is_refused(text: str) -> None:
    with pytest.raises(RefusalError, match="is neither"):
        parse_address(text)


def test_nobody_can_be_selected_without_an_identification() -> None:
    with pytest.raises(InvariantError):
        LinkQuestion(step=Step.SELECT, address=LinkAddress(primary=5))


@pytest.mark.parametrize("whole", [b"\xe5", bytes.fromhex("1040054516"), TELEGRAM])
def test_a_whole_frame_lacks_nothing_and_its_beginnings_lack_the_rest(whole: bytes) -> None:
    assert missing_bytes(whole) == 0
    assert missing_bytes(whole + b"\x00") == -1
    assert all((missing_bytes(whole[:n]) or 0) > 0 for n in range(1, len(whole)))


@pytest.mark.parametrize(
    ("what", "prefix"),
    [
        ("a foreign start", "16"),
        ("two lengths that differ", "680f0e68"),
        ("no second start", "680f0f10"),
        ("a length without room", "68020268"),
        ("a short frame without an end", "1040054517"),
    ],
)
def test_what_cannot_begin_a_frame_is_said_at_once(what: str, prefix: str) -> None:
    assert missing_bytes(bytes.fromhex(prefix)) is None, what


def test_a_wrong_sum_is_damage_and_a_cut_frame_is_none() -> None:
    damaged = TELEGRAM[:-3] + bytes([TELEGRAM[-3] ^ 1]) + TELEGRAM[-2:]

    assert flaw(damaged) == Noise(reason="checksum does not hold", damaged=True)
    assert flaw(TELEGRAM[:-1]) == Noise(reason="no M-Bus frame")


def test_the_asked_meters_telegram_answers_and_anothers_is_foreign() -> None:
    assert CODEC.match(TELEGRAM, AT_FIVE) == Answered(frame=TELEGRAM, data=TELEGRAM)
    assert isinstance(CODEC.match(frame(0x08, 6, BODY), AT_FIVE), Foreign)


def test_behind_a_selection_the_identification_is_compared_not_the_address() -> None:
    stranger = frame(0x08, 5, BODY.replace(b"\x78\x56", b"\x79\x56"))
    full = LinkQuestion(step=Step.TELEGRAM, address=parse_address("123456782d2c1b04"))
    other_medium = LinkQuestion(step=Step.TELEGRAM, address=parse_address("123456782d2c1b07"))

    assert isinstance(CODEC.match(TELEGRAM, CHOSEN), Answered)
    assert isinstance(CODEC.match(stranger, CHOSEN), Foreign)
    assert isinstance(CODEC.match(TELEGRAM, full), Answered)
    assert isinstance(CODEC.match(TELEGRAM, other_medium), Foreign)


def test_an_acknowledgement_answers_a_reset_and_never_a_request_of_data() -> None:
    reset = LinkQuestion(step=Step.RESET, address=parse_address("5"))

    assert CODEC.match(b"\xe5", reset) == Answered(frame=b"\xe5", data=b"")
    assert isinstance(CODEC.match(b"\xe5", AT_FIVE), Noise)
    assert isinstance(CODEC.match(TELEGRAM, reset), Foreign)


def test_ones_own_request_heard_as_an_echo_is_noise() -> None:
    assert isinstance(CODEC.match(CODEC.request(AT_FIVE), AT_FIVE), Noise)
    assert isinstance(CODEC.match(frame(0x73, 5, BODY), AT_FIVE), Noise)


@pytest.mark.parametrize(
    ("what", "body", "meaning"),
    [
        ("an application error", "7008", "application busy"),
        ("an error nobody listed", "7063", "application error 63"),
        ("an error without a code", "70", "unspecified error"),
        ("fixed data", "73" + "00" * 16, "fixed-data"),
        ("an unknown form", "a0" + "00" * 16, "is not read"),
        ("a header that is cut", "72" + "00" * 5, "is not read"),
    ],
)
def test_what_the_meter_says_instead_of_values_is_a_refusal(what: str, body: str, meaning: str) -> None:
    match = CODEC.match(frame(0x08, 5, bytes.fromhex(body)), AT_FIVE)

    assert isinstance(match, Refused), what
    assert meaning in match.meaning


def test_an_acknowledgement_names_nobody_so_all_resets_are_of_one_shape() -> None:
    resets = {CODEC.shape(LinkQuestion(step=Step.RESET, address=parse_address(text))) for text in ("1", "2")}
    telegrams = {CODEC.shape(LinkQuestion(step=Step.TELEGRAM, address=parse_address(text))) for text in ("1", "2")}

    assert len(resets) == 1
    assert len(telegrams) == 2
    assert CODEC.shape(AT_FIVE) == CODEC.shape(LinkQuestion(step=Step.TELEGRAM, address=AT_FIVE.address))
