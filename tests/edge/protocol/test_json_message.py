"""JSON from a broker: exact numbers, paths, times with and without a zone, and hostile messages refused."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import pytest

from common.errors import RefusalError
from edge.protocol.json_message import (
    MESSAGE_BYTES_MOST,
    find,
    moment_at,
    number_at,
    parse_message,
    payload_at,
    text_at,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("514.153", "514153/1000"),
        ("0.1", "1/10"),
        ("1e3", "1000"),
        ("-5", "-5"),
        ("12345678901234567.89", "1234567890123456789/100"),
    ],
)
def test_a_number_keeps_every_digit_it_was_sent_with(text: str, value: str) -> None:
    assert number_at(parse_message(f'{{"v":{text}}}'.encode()), ["v"]) == (text, Fraction(value))


def test_a_number_in_quotes_is_a_number_and_a_missing_one_is_none() -> None:
    document = parse_message(b'{"v":"20.5","n":null}')

    assert number_at(document, ["v"]) == ("20.5", Fraction("20.5"))
    assert number_at(document, ["n"]) is None
    assert number_at(document, ["v", "deeper"]) is None


def test_index_0_of_a_plain_number_is_the_number_and_of_a_list_its_first() -> None:
    assert number_at(parse_message(b'{"v":7}'), ["v", "0"]) == ("7", Fraction(7))
    assert number_at(parse_message(b'{"v":[7,8]}'), ["v", "0"]) == ("7", Fraction(7))
    assert number_at(parse_message(b'{"v":[7,8]}'), ["v", "1"]) == ("8", Fraction(8))
    assert number_at(parse_message(b'{"v":7}'), ["v", "1"]) is None
    assert find(parse_message(b'{"v":[7]}'), ["v", "x"]) is None


@pytest.mark.parametrize("value", ["[1,2]", "{}", "true", '"abc"', '""'])
def test_what_is_no_single_number_is_refused_and_never_zero(value: str) -> None:
    with pytest.raises(RefusalError):
        number_at(parse_message(f'{{"v":{value}}}'.encode()), ["v"])


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"volume=5", id="no JSON"),
        pytest.param(b'{"v":5', id="cut"),
        pytest.param(b'{"v":"\xff"}', id="not UTF-8"),
        pytest.param(b"[1]", id="a list"),
        pytest.param(b"5", id="a bare number"),
        pytest.param(b'{"v":"' + b"x" * MESSAGE_BYTES_MOST + b'"}', id="too large"),
        pytest.param(b'{"v":' + b"[" * 40 + b"]" * 40 + b"}", id="too deep"),
        pytest.param(b'{"v":' + b"[" * 10_000, id="so deep that a parser would fall over"),
        pytest.param(b'{"v":1,"v":2}', id="one key twice"),
        pytest.param(b'{"v":NaN}', id="not a number"),
        pytest.param(b'{"v":-Infinity}', id="without end"),
    ],
)
def test_a_hostile_message_is_refused(payload: bytes) -> None:
    with pytest.raises(RefusalError):
        parse_message(payload)


@pytest.mark.parametrize("text", ["1e999", "9" * 30, "0." + "1" * 30, "1e-999", "9" * 5000])
def test_a_number_beyond_measure_is_refused_before_it_is_worked_out(text: str) -> None:
    with pytest.raises(RefusalError):
        number_at(parse_message(f'{{"v":{text}}}'.encode()), ["v"])


@pytest.mark.parametrize(
    ("form", "value", "instant"),
    [
        ("rfc3339", '"2022-07-18T09:34:15.775023242+00:00"', datetime(2022, 7, 18, 9, 34, 15, 775023, tzinfo=UTC)),
        ("rfc3339", '"2022-07-18T17:34:15+08:00"', datetime(2022, 7, 18, 9, 34, 15, tzinfo=UTC)),
        ("rfc3339", '"2022-07-18T09:34:15Z"', datetime(2022, 7, 18, 9, 34, 15, tzinfo=UTC)),
        ("unix_s", "1658136855", datetime(2022, 7, 18, 9, 34, 15, tzinfo=UTC)),
        ("unix_ms", "1658136855999", datetime(2022, 7, 18, 9, 34, 15, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_in_its_form(form: str, value: str, instant: datetime) -> None:
    assert moment_at(parse_message(f'{{"t":{value}}}'.encode()), ["t"], form) == instant


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("rfc3339", '"2022-07-18T09:34:15"'),
        ("rfc3339", '"yesterday"'),
        ("rfc3339", '"0001-01-01T00:00:00+23:00"'),
        ("unix_s", "99999999999999"),
        ("unix_s", "-1"),
        ("unix_s", '"soon"'),
    ],
)
def test_a_time_that_is_none_is_refused(form: str, value: str) -> None:
    with pytest.raises(RefusalError):
        moment_at(parse_message(f'{{"t":{value}}}'.encode()), ["t"], form)


def test_a_missing_time_is_none() -> None:
    assert moment_at(parse_message(b"{}"), ["t"], "rfc3339") is None


def test_a_payload_is_decoded_as_said_or_refused() -> None:
    document = parse_message(b'{"a":"AQAAAQ==","h":"01000001","n":5}')

    assert payload_at(document, ["a"], "base64") == payload_at(document, ["h"], "hex") == b"\x01\x00\x00\x01"
    assert payload_at(document, ["x"], "hex") is None
    with pytest.raises(RefusalError, match="not base64"):
        payload_at(document, ["n"], "base64")
    with pytest.raises(RefusalError, match="not hex"):
        payload_at(document, ["a"], "hex")
    with pytest.raises(RefusalError, match="4097 bytes"):
        payload_at(parse_message(('{"a":"' + "00" * 4097 + '"}').encode()), ["a"], "hex")


def test_text_is_read_from_texts_and_numbers_only() -> None:
    document = parse_message(b'{"s":"x","n":12,"l":[]}')

    assert [text_at(document, [key]) for key in "snl"] == ["x", "12", None]
