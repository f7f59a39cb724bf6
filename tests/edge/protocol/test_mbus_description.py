"""M-Bus frames in words: what the published vectors do not show, and every form that is refused."""

from __future__ import annotations

import pytest

from common.errors import RefusalError
from edge.protocol.mbus_description import describe_mbus
from tests.edge.protocol.test_mbus_records import telegram_of


def records(text: str) -> list[dict[str, object]]:
    found = describe_mbus(telegram_of(text))["records"]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(
    ("what", "record", "value"),
    [
        ("a date that is none", "026c0000", "2000-00-00"),
        ("a due day that means never", "426cffff", "2127-15-31"),
        ("a time that the meter calls invalid", "046d80000000", "1900-01-00T00:00:00"),
        ("a time with seconds", "066d1e1e0c4f2b00", "2018-11-15T12:30:30"),
        ("a year of an old meter with two digits", "046d00002111", "2009-01-01T00:00:00"),
        ("a float", "052b00002041", "10.000000"),
        ("a text", "0d7803434241", "ABC"),
        ("bytes that are no text", "0d7802ff01", "01 FF"),
        ("digits that are none", "0c13ffffff0a", "0AFFFFFF"),
        ("a negative number", "025afbff", "-5"),
    ],
)
def test_a_record_is_shown_as_its_bytes_say(what: str, record: str, value: str) -> None:
    assert records(record)[0]["value"] == value, what


def test_storage_and_tariff_are_shown_and_a_plain_record_has_no_tariff() -> None:
    assert records("8490020601000000")[0]["tariff"] == 1
    assert records("0c1300000000")[0]["tariff"] is None


def test_the_makers_rest_and_the_promise_of_more_are_rows_of_their_own() -> None:
    assert records("0c1300000000" + "0f0102")[-1] == {
        "function": "Manufacturer specific",
        "storage": None,
        "tariff": None,
        "unit": None,
        "value": "01 02",
    }
    assert records("0c13000000001f")[-1]["function"] == "More records follow"


@pytest.mark.parametrize("before", ["0c1300000000", "0c1311111111", "041f1f1f1f1f", "2f2f0c1300000000"])
def test_the_makers_bytes_behind_the_promise_of_more_are_shown_with_it(before: str) -> None:
    assert records(before + "1f" + "c4091f")[-1] == {
        "function": "More records follow",
        "storage": None,
        "tariff": None,
        "unit": None,
        "value": "C4 09 1F",
    }


def test_a_selection_is_told_from_a_telegram() -> None:
    described = describe_mbus(bytes.fromhex("680b0b6873fd5278563412ffffffffd216"))

    assert described["meaning"] == "select by identification"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "no M-Bus frame"),
        ("aa", "no M-Bus frame"),
        ("1040", "lacks 3 bytes"),
        ("e5e5", "1 bytes follow"),
        ("1040054616", "checksum"),
        (telegram_of("0c13000000").hex(), "is cut"),
    ],
)
def test_what_must_not_be_read_is_refused_with_its_reason(data: str, reason: str) -> None:
    with pytest.raises(RefusalError, match=reason):
        describe_mbus(bytes.fromhex(data))
