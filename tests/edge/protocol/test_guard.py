"""The late-answer guard: arithmetic on instants, and the sentence it promises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvariantError
from edge.protocol.guard import SHAPES_MOST, LineGuard, Timing

TIMING = Timing(answer_s=0.5, longest_s=1.5, gap_s=0.02)


def test_a_fresh_line_may_ask_at_once() -> None:
    assert LineGuard().ready_at("shape") == float("-inf")


def test_a_shape_is_taken_until_its_longest_answer_time_has_passed() -> None:
    guard = LineGuard()
    guard.asked("first", 10.0, TIMING)

    assert guard.ready_at("first") == 11.5
    assert guard.ready_at("second") == float("-inf")


def test_after_an_answer_the_line_rests_for_the_gap() -> None:
    guard = LineGuard()
    guard.ended(10.0, TIMING)

    assert guard.ready_at("any") == 10.02


@pytest.mark.parametrize(("self_identifying", "ready"), [(False, 11.5), (True, 10.52)])
def test_after_a_time_out_the_line_is_silent_unless_answers_name_their_question(
    ready: float, *, self_identifying: bool
) -> None:
    guard = LineGuard()
    guard.timed_out(10.0, 10.5, TIMING, self_identifying=self_identifying)

    assert guard.ready_at("any") == ready


def test_the_memory_of_shapes_is_bounded() -> None:
    guard = LineGuard()
    for n in range(3 * SHAPES_MOST):
        guard.asked(n, float(n), TIMING)

    assert guard.ready_at(3 * SHAPES_MOST - 1) > 0
    assert guard.ready_at(0) == float("-inf")


def test_a_longest_time_below_the_time_out_cannot_exist() -> None:
    with pytest.raises(InvariantError):
        Timing(answer_s=1.0, longest_s=0.5, gap_s=0)
    with pytest.raises(InvariantError):
        Timing(answer_s=1.0, longest_s=1.5, gap_s=-1)


@given(
    asks=st.lists(st.tuples(st.integers(0, 3), st.floats(0, 2)), min_size=1, max_size=40),
    late=st.floats(0, 1.5, exclude_max=True),
)
def test_no_answer_within_its_longest_time_can_meet_a_later_question_of_its_shape(
    asks: list[tuple[int, float]], late: float
) -> None:
    guard, now = LineGuard(), 0.0
    flying: dict[int, float] = {}
    for shape, wait in asks:
        now = max(now + wait, guard.ready_at(shape))
        assert flying.get(shape, float("-inf")) <= now
        guard.asked(shape, now, TIMING)
        flying[shape] = now + late
