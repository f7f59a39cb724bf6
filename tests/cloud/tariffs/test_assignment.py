"""Assignments: the narrowest that says something decides, the newest known revision of the day counts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.tariffs.assignment import Assignment, AssignmentBook, Effect, Target, TargetKind
from cloud.tariffs.book import pools_in_force
from cloud.tariffs.pool import PoolMethod, PoolRevision
from common.ids import ChargeItemId, MeterId, TariffId

FEE = ChargeItemId(UUID(int=1))
DAY = date(2026, 3, 10)
RECORDED, KNOWN_AT = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
NARROW_TO_WIDE = [
    Target(kind=TargetKind.METER, key="m"),
    Target(kind=TargetKind.PREMISES, key="p"),
    Target(kind=TargetKind.PREMISES_KIND, key="residence"),
    Target(kind=TargetKind.BUILDING, key="b"),
    Target(kind=TargetKind.COMMUNITY),
]


def says(
    target: Target,
    tariff: int | None = 1,
    *,
    effect: Effect = Effect.CHARGE,
    day: date = date(2026, 1, 1),
    rev: int = 1,
    at: datetime = RECORDED,
) -> Assignment:
    return Assignment(
        charge_item_id=FEE,
        target=target,
        effective_from=day,
        rev=rev,
        effect=effect,
        tariff_id=None if tariff is None else TariffId(UUID(int=tariff)),
        recorded_at=at,
    )


def decided(*assignments: Assignment, day: date = DAY, known_at: datetime = KNOWN_AT) -> Assignment | None:
    return AssignmentBook(assignments, known_at).assigned(FEE, NARROW_TO_WIDE, day)


@given(st.permutations(range(5)), st.sets(st.integers(0, 4), min_size=1))
def test_the_narrowest_target_that_says_something_decides(order: list[int], speaking: set[int]) -> None:
    assignments = [says(NARROW_TO_WIDE[n], n + 1) for n in order if n in speaking]
    found = decided(*assignments)
    assert found is not None
    assert found.target == NARROW_TO_WIDE[min(speaking)]


def test_inherit_lets_the_wider_target_speak_and_exempt_does_not() -> None:
    own, all_of_it = NARROW_TO_WIDE[1], NARROW_TO_WIDE[4]
    inherits = decided(says(all_of_it), says(own, None, effect=Effect.INHERIT))
    exempt = decided(says(all_of_it), says(own, None, effect=Effect.EXEMPT))
    assert inherits is not None
    assert inherits.target == all_of_it
    assert exempt is not None
    assert exempt.effect is Effect.EXEMPT


@pytest.mark.parametrize(
    ("day", "tariff"),
    [(date(2025, 12, 31), None), (date(2026, 1, 1), 1), (date(2026, 3, 9), 1), (DAY, 2), (date(2027, 1, 1), 2)],
)
def test_an_assignment_holds_from_its_day_until_the_next(day: date, tariff: int | None) -> None:
    found = decided(says(NARROW_TO_WIDE[4], 1), says(NARROW_TO_WIDE[4], 2, day=DAY), day=day)
    assert (None if found is None else found.tariff_id) == (None if tariff is None else TariffId(UUID(int=tariff)))


def test_what_was_recorded_later_than_known_is_not_seen() -> None:
    late = says(NARROW_TO_WIDE[4], 2, rev=2, at=datetime(2026, 5, 1, tzinfo=UTC))
    before = decided(says(NARROW_TO_WIDE[4], 1), late, known_at=datetime(2026, 4, 1, tzinfo=UTC))
    after = decided(says(NARROW_TO_WIDE[4], 1), late)
    assert before is not None
    assert after is not None
    assert (before.rev, after.rev) == (1, 2)


def test_a_charge_item_that_nobody_assigned_does_not_apply() -> None:
    assert decided(says(Target(kind=TargetKind.PREMISES, key="other"))) is None


def test_an_ended_pool_is_out_of_force_and_a_revised_one_newest() -> None:
    def revision(pool: int, rev: int, meter: int | None, day: date = date(2026, 1, 1)) -> PoolRevision:
        return PoolRevision(
            pool_id=UUID(int=pool),
            effective_from=day,
            rev=rev,
            charge_item_id=FEE,
            meter_id=None if meter is None else MeterId(UUID(int=meter)),
            method=PoolMethod.METER,
            building_id=None,
            recorded_at=RECORDED,
        )

    revisions = [revision(1, 1, 7), revision(1, 2, 8), revision(2, 1, 9), revision(2, 1, None, DAY)]
    assert [one.meter_id for one in pools_in_force(revisions, DAY, KNOWN_AT)] == [MeterId(UUID(int=8))]
    assert len(pools_in_force(revisions, date(2026, 3, 9), KNOWN_AT)) == 2
    assert pools_in_force(revisions, DAY, datetime(2025, 1, 1, tzinfo=UTC)) == ()
