"""Questions to registers, joined to be read together."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

from cloud.metering.registers import RegisterQuestion, joined
from common.ids import CommunityId, MeterId
from common.reading.reading import Quantity


def test_questions_are_joined_to_one_that_asks_for_all_of_them_and_one_without_meters_is_passed_over() -> None:
    def question(meters: set[int], day: date) -> RegisterQuestion:
        return RegisterQuestion(
            community_id=CommunityId(UUID(int=7)),
            meters=frozenset(MeterId(UUID(int=meter)) for meter in meters),
            quantities=frozenset({Quantity.VOLUME}),
            days=frozenset({day}),
            zone=UTC,
            known_at=datetime(2026, 6, 1, tzinfo=UTC),
        )

    january, march, nothing = (
        question({1}, date(2026, 1, 1)),
        question({1, 2}, date(2026, 3, 1)),
        question(set(), date(2020, 1, 1)),
    )
    whole = joined([nothing, january, march])
    assert whole.meters == march.meters
    assert whole.days == {date(2026, 1, 1), date(2026, 3, 1)}
    assert joined([nothing]) == nothing
