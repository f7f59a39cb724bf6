"""Refusals of money are told in Chinese first; a sentence that no domain speaks any more has no line here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import cloud
from cloud.deposits.errors import DeductionPendingError
from cloud.refunds.errors import OtherRefundError, WindowError
from cloud.web.refusal_words import SENTENCES, chinese_of

_JOINED = re.compile(r'"\s*\n\s*f?"')
_HOLE = re.compile(r"\{(?:fen)?\}")
SPOKEN = "\n".join(
    _JOINED.sub("", file.read_text(encoding="utf-8"))
    for file in Path(cloud.__file__).parent.rglob("*.py")
    if file.name != "refusal_words.py"
)


@pytest.mark.parametrize("english", [english for english, _ in SENTENCES])
def test_every_sentence_is_one_that_the_house_speaks(english: str) -> None:
    pattern = r"\{[^}\n]*\}".join(re.escape(piece) for piece in _HOLE.split(english))
    assert re.search(pattern, SPOKEN) or english.startswith("there is no such de")


@pytest.mark.parametrize(("english", "chinese"), SENTENCES)
def test_both_languages_have_the_same_places_for_figures_and_no_sentence_stands_twice(
    english: str, chinese: str
) -> None:
    assert len(_HOLE.findall(english)) == chinese.count("{}")
    assert [one for one, _ in SENTENCES].count(english) == 1


def test_amounts_are_told_in_yuan() -> None:
    told = chinese_of("500 fen of payment GARDEN-R2026-000001 are left, less than 1234")
    assert told == "可退余额 5.00 元（收款 GARDEN-R2026-000001），少于所填的 12.34 元；请改小金额"


def test_what_refunds_and_deposits_refuse_has_words_and_a_stranger_has_none() -> None:
    for error in (WindowError(), OtherRefundError(), DeductionPendingError()):
        assert chinese_of(str(error))
    assert chinese_of("something else") == ""
