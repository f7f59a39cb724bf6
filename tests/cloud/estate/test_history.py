"""Premises on many days, from facts that were stated for some of them."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from cloud.estate.history import PremisesHistory, StatedFact
from cloud.estate.kinds import Fact, PremisesKind
from cloud.estate.values import Premises
from common.ids import CommunityId, PremisesId

FIRST, SECOND = PremisesId(UUID(int=1)), PremisesId(UUID(int=2))


def place(premises_id: PremisesId, label: str) -> Premises:
    return Premises(
        id=premises_id,
        community_id=CommunityId(UUID(int=9)),
        building_id=None,
        label=label,
        kind=PremisesKind.RESIDENCE,
        facts={},
    )


def stated(premises_id: PremisesId, day: date, value_milli: int) -> StatedFact:
    return StatedFact(premises_id=premises_id, fact=Fact.AREA, effective_from=day, value_milli=value_milli)


HISTORY = PremisesHistory(
    [place(FIRST, "1-1"), place(SECOND, "1-2")],
    [
        stated(FIRST, date(2026, 3, 1), 95_000),
        stated(FIRST, date(2025, 1, 1), 88_000),
        stated(SECOND, date(2025, 6, 1), 60_000),
    ],
)


def areas(day: date) -> list[int | None]:
    return [one.area_milli for one in HISTORY.on(day)]


def test_a_fact_holds_from_its_day_until_the_next_statement_and_is_absent_before() -> None:
    assert areas(date(2024, 12, 31)) == [None, None]
    assert areas(date(2025, 1, 1)) == [88_000, None]
    assert areas(date(2025, 6, 1)) == [88_000, 60_000]
    assert areas(date(2026, 2, 28)) == [88_000, 60_000]
    assert areas(date(2026, 3, 1)) == [95_000, 60_000]


def test_days_without_a_change_between_them_share_one_answer_whatever_was_asked_first() -> None:
    later = HISTORY.on(date(2026, 2, 1))
    assert HISTORY.on(date(2025, 6, 1)) is later
    assert HISTORY.on(date(2025, 5, 31)) is not later
    assert [one.label for one in later] == ["1-1", "1-2"]
