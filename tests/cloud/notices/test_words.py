"""Each notice has words in both languages that carry its facts and say that nothing is shut off."""

from __future__ import annotations

import pytest

from cloud.notices.kinds import Language, NoticeKind
from cloud.notices.words import text_of

FACTS = {"number": "B-1", "place": "花园 1-1", "amount": "5.00", "due": "2026-03-15"}


@pytest.mark.parametrize("kind", list(NoticeKind))
@pytest.mark.parametrize("language", list(Language))
def test_every_kind_is_worded_with_place_and_amount(kind: NoticeKind, language: Language) -> None:
    title, body = text_of(kind, language, FACTS)
    assert "花园 1-1" in body
    assert "5.00" in body
    assert "{" not in title + body


@pytest.mark.parametrize("kind", [NoticeKind.OVERDUE, NoticeKind.OVERDUE_LONG])
def test_who_owes_is_told_that_supply_and_way_home_stay_open(kind: NoticeKind) -> None:
    assert "水、电和回家的路" in text_of(kind, Language.ZH, FACTS)[1]
    assert "never cut" in text_of(kind, Language.EN, FACTS)[1]
