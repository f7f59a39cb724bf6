"""A charge as values: registers only rise, clocks ahead are not believed, waits end."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from common.wire.limits import SAMPLES_MAX
from edge.charging.rules import (
    AHEAD_MOST_MS,
    IDLE_MOST_MS,
    INTERRUPTED_WAIT_MS,
    Charging,
    believed_ms,
    idle_from,
    is_due,
    to_rate,
    with_end,
    with_sample,
)

CHARGE = Charging(
    session_id=UUID(int=1), transaction=7, pile="P1", connector=1, card="AB", started_ms=0, samples=((0, 100),)
)


def test_registers_rise_in_value_and_time_or_are_passed_over() -> None:
    risen = with_sample(CHARGE, 1_000, 150)
    assert risen.samples == ((0, 100), (1_000, 150))
    assert with_sample(risen, 2_000, 149) is risen
    assert with_sample(risen, 999, 200) is risen
    assert with_sample(risen, 1_000, 150) is risen


def test_samples_are_thinned_and_keep_both_ends() -> None:
    charge = CHARGE
    for n in range(1, 3 * SAMPLES_MAX):
        charge = with_sample(charge, n * 60_000, 100 + n)
    assert len(charge.samples) <= SAMPLES_MAX
    assert charge.samples[0] == (0, 100)
    assert charge.last_wh == 100 + 3 * SAMPLES_MAX - 1


def test_an_end_below_the_newest_register_is_not_believed() -> None:
    ended = with_end(with_sample(CHARGE, 1_000, 500), 2_000, 300, "Local")
    assert (ended.last_wh, ended.ended_ms) == (500, 2_000)


def test_idling_counts_from_when_the_car_was_full_else_from_the_end() -> None:
    ended = with_end(CHARGE, 600_000, 500, "Local")
    assert idle_from(ended) == 600_000
    assert idle_from(replace(ended, full_ms=300_000)) == 300_000
    assert to_rate(ended, 1_200_000).idle_minutes == 10
    assert to_rate(ended, None).idle_minutes == 0


def test_waits_end() -> None:
    lost = replace(CHARGE, lost_ms=0)
    assert not is_due(lost, INTERRUPTED_WAIT_MS - 1)
    assert is_due(lost, INTERRUPTED_WAIT_MS)
    assert not is_due(CHARGE, 10 * INTERRUPTED_WAIT_MS)
    assert is_due(with_end(CHARGE, 0, 100, ""), IDLE_MOST_MS)


def test_a_clock_far_ahead_is_not_believed_and_one_behind_is() -> None:
    assert believed_ms(AHEAD_MOST_MS + 1, 0) == 0
    assert believed_ms(AHEAD_MOST_MS, 0) == AHEAD_MOST_MS
    assert believed_ms(-5, 0) == -5
