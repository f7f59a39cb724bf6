"""Every code that the pages of charges and arrears show has words in both languages."""

from __future__ import annotations

from cloud.web.charge_words import CHARGE_KINDS, CHARGE_STATES, RELIEF_KINDS, RELIEF_STATES, SHARINGS


def test_every_word_is_there_in_both_languages_and_no_two_are_alike() -> None:
    for words in (CHARGE_KINDS, CHARGE_STATES, RELIEF_KINDS, RELIEF_STATES, SHARINGS):
        assert all(zh and en for zh, en in words.values())
        assert len(set(words.values())) == len(words)
