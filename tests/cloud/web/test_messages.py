"""What pages say stands in both languages."""

from __future__ import annotations

from http import HTTPStatus

from cloud.kit import errors
from cloud.kit.httpapi import status_of
from cloud.web.messages import DONE, HEADLINES, OTHER_HEADLINE, headline


def test_every_family_of_refusals_has_a_headline() -> None:
    families = [kind for kind in vars(errors).values() if isinstance(kind, type) and kind.__module__ == errors.__name__]
    assert families
    assert [kind for kind in families if status_of(kind("x")) not in HEADLINES] == []


def test_a_status_without_words_still_says_that_it_did_not_work() -> None:
    assert headline(HTTPStatus.IM_A_TEAPOT) == OTHER_HEADLINE


def test_every_message_is_in_both_languages() -> None:
    assert [word for word, (zh, en) in DONE.items() if not zh or not en or not en.isascii()] == []
