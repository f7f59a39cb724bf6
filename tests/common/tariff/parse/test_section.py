"""Typed access to a written section: the longest text and list, dates as they are loaded, kinds of values in words."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from common.errors import Fault, FaultsError
from common.tariff.document import parse_tariff
from common.tariff.parse.section import ITEMS_MAX, TEXT_LENGTH_MAX, Section
from tests.common.tariff.builders import body

CHARGES = [{"key": "e", "price": "1"}]


def section_of(**fields: Any) -> tuple[Section, list[Fault]]:
    faults: list[Fault] = []
    return Section(fields, "here", faults), faults


def test_a_text_and_a_list_may_be_as_long_as_allowed() -> None:
    section, faults = section_of(text="x" * TEXT_LENGTH_MAX, items=[1] * ITEMS_MAX, long=[1] * (ITEMS_MAX + 1))
    assert len(section.text("text")) == TEXT_LENGTH_MAX
    assert len(section.items("items")) == ITEMS_MAX
    assert faults == []
    assert len(section.items("long")) == ITEMS_MAX
    assert [fault.where for fault in faults] == ["here.long"]


def test_a_day_that_is_loaded_already_stays_and_an_instant_is_no_day() -> None:
    section, faults = section_of(day=date(2026, 6, 1), text="2026-06-01", instant=datetime(2026, 6, 1, tzinfo=UTC))
    assert section.day("day") == section.day("text") == date(2026, 6, 1)
    assert section.day("other") is None
    assert faults == []
    assert section.day("instant") is None
    assert [fault.what for fault in faults] == ["datetime stands where a number in quotes is expected"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "nothing"),
        ({}, "a mapping"),
        ([], "a list"),
        (7, "the number 7"),
        (True, "True"),
        (0.5, "the binary fraction 0.5"),
        (date(2026, 6, 1), "date"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(value: object, words: str) -> None:
    section, faults = section_of(field=value)
    assert section.text("field") == ""
    assert [str(fault) for fault in faults] == [f"here.field: {words} stands where a text is expected; write a text"]


def test_a_place_is_the_section_and_the_field_and_the_document_where_there_is_neither() -> None:
    section, _ = section_of()
    root = Section({}, "", [])
    assert (section.path("a"), section.path(""), root.path("a"), root.path("")) == ("here.a", "here", "a", "document")


def test_numbers_keep_their_value_and_a_bad_one_says_that_it_is_a_number() -> None:
    section, faults = section_of(whole=7, text="7.5", bad="x")
    assert (section.decimal("whole", 3), section.decimal("text", 3), faults) == (7_000, 7_500, [])
    assert section.decimal("bad", 3) == 0
    assert faults[0].what.startswith("number: 'x' is not a decimal number")


def test_a_date_of_a_tariff_may_be_loaded_or_written() -> None:
    for day in (date(2026, 1, 1), "2026-01-01"):
        assert parse_tariff(body(charges=CHARGES, effective_from=day)).header.effective_from == date(2026, 1, 1)
    with pytest.raises(FaultsError, match="effective_from: datetime stands where"):
        parse_tariff(body(charges=CHARGES, effective_from=datetime(2026, 1, 1, tzinfo=UTC)))
